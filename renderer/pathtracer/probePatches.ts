/** Which parts of a picture a calibration traces, and what their times say about the whole. */
import type { PixelRect } from '../../domain/scene.ts';

/** Base-`base` digits of `index`, mirrored at the point (Halton 1960): even however early one stops. */
function radicalInverse(index: number, base: number): number {
  let result = 0;
  let scale = 1;
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    scale /= base;
    result += scale * (rest % base);
  }
  return result;
}

/**
 * Patches of at most `width` x `height` pixels on a grid over the rectangle, all of them, each once, in an order that covers
 * the picture evenly after any number of them. Corners lie on multiples of the patch's size, as the tracer's blocks do.
 */
export function* patchesOf(rect: PixelRect, width: number, height: number): Generator<PixelRect> {
  const left = Math.floor(rect.x0 / width);
  const top = Math.floor(rect.y0 / height);
  const columns = Math.ceil(rect.x1 / width) - left;
  const rows = Math.ceil(rect.y1 / height) - top;
  const seen = new Set<number>();
  // Halton's points reach every cell, the last ones late: what is left after a while comes in order.
  for (let index = 1; index <= 4 * columns * rows + columns * rows; index++) {
    const late = index > 4 * columns * rows ? index - 4 * columns * rows - 1 : null;
    const cell =
      late ?? Math.floor(radicalInverse(index, 2) * rows) * columns + Math.floor(radicalInverse(index, 3) * columns);
    if (seen.has(cell)) continue;
    seen.add(cell);
    const x = (left + (cell % columns)) * width;
    const y = (top + Math.floor(cell / columns)) * height;
    yield {
      x0: Math.max(rect.x0, x),
      y0: Math.max(rect.y0, y),
      x1: Math.min(rect.x1, x + width),
      y1: Math.min(rect.y1, y + height),
    };
    if (seen.size === columns * rows) return;
  }
}

export const pixelsOf = ({ x0, y0, x1, y1 }: PixelRect): number => (x1 - x0) * (y1 - y0);

/** Seconds that some pixels took, with few and then with more samples each. */
export interface PatchTimes {
  pixels: number;
  few: { samples: number; seconds: number };
  more: { samples: number; seconds: number };
}

/** What a pixel costs however many samples it has, and what each sample adds; seconds, both never below zero. */
export interface PixelCost {
  perPixel: number;
  perSample: number;
}

/** The line through both sums: the same pixels with few and with more samples. */
export function pixelCost(times: readonly PatchTimes[]): PixelCost {
  const sum = (of: (time: PatchTimes) => number): number => times.reduce((total, time) => total + of(time), 0);
  const fewSamples = sum(({ pixels, few }) => pixels * few.samples);
  const moreSamples = sum(({ pixels, more }) => pixels * more.samples);
  const fewSeconds = sum(({ few }) => few.seconds);
  const moreSeconds = sum(({ more }) => more.seconds);
  const pixels = sum((time) => time.pixels);
  const all = (fewSeconds + moreSeconds) / (fewSamples + moreSamples);
  if (moreSamples <= fewSamples) return { perPixel: 0, perSample: all };
  const perSample = (moreSeconds - fewSeconds) / (moreSamples - fewSamples);
  const perPixel = (fewSeconds - perSample * fewSamples) / pixels;
  // Noise of the clock can tilt the line either way: then all of it is the samples'.
  return perSample <= 0 || perPixel < 0 ? { perPixel: 0, perSample: all } : { perPixel, perSample };
}

/** How much more than its share of the time one of the two looks may have taken. */
const DISTURBED = 2;

/** Whether one look at a patch took far longer a sample than the other: they trace the same pixels. */
export function isDisturbed({ few, more }: PatchTimes): boolean {
  const a = few.seconds / few.samples;
  const b = more.seconds / more.samples;
  return a > DISTURBED * b || b > DISTURBED * a;
}

/** The shorter of both for each look. */
export const lesserOf = (a: PatchTimes, b: PatchTimes): PatchTimes => ({
  pixels: a.pixels,
  few: { samples: a.few.samples, seconds: Math.min(a.few.seconds, b.few.seconds) },
  more: { samples: a.more.samples, seconds: Math.min(a.more.seconds, b.more.seconds) },
});
