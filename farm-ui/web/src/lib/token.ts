/** The token that a job is paid in. */
import type { Job } from '../api/types.ts';

/** The quote names it; before there is a quote, the farm's own token is meant. */
export function tokenOf(job: Pick<Job, 'quote'> | null): { symbol: string; decimals: number } {
  return job?.quote?.token ?? { symbol: 'CMP', decimals: 18 };
}
