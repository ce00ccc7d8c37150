/** Bounds how long somebody waits for a store. */
import { FarmError } from '../../domain/errors.ts';

/**
 * What `work` gives, unless it takes longer than so many milliseconds; it goes on unheard then.
 * @throws FarmError `StoreFailed` with the message and place when it takes longer; what `work` throws
 */
export async function inTime<T>(
  work: Promise<T>,
  ms: number,
  message: string,
  place: Record<string, string> = {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FarmError('StoreFailed', message, place)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
