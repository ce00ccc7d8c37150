/** A unit's pixels into its files, band by band where it is large. */
import { FarmError } from '../../domain/errors.ts';
import type { PixelRect } from '../../domain/scene.ts';
import type { ImageProcessor } from '../image/imageProcessor.ts';
import { shortBands, tracedBands } from './bands.ts';
import { type UnitPaths, UnitWriter } from './frameFiles.ts';
import type { FrameFacts } from './frameLayers.ts';
import { isQuick } from './techniques.ts';
import type { TracedPixels, TraceRequest, Tracer } from './tracer.ts';

interface Making {
  /** Holds the unit's scene. */
  tracer: Tracer;
  trace: TraceRequest;
  facts: FrameFacts;
  outputFolder: string;
  processor: ImageProcessor;
  onProgress(fraction: number): void;
  signal: AbortSignal;
  /** Other bound of a band's layers than `bands.ts` has, bytes. */
  bandBytes?: number | undefined;
}

/**
 * Traces and writes. After an error no file is left.
 * @throws FarmError as tracers and `UnitWriter` do; `Cancelled` soon after an abort
 */
export async function makeUnit(making: Making): Promise<UnitPaths & { samples: number; rays: number }> {
  const { tracer, trace, facts, outputFolder, processor, onProgress, signal, bandBytes } = making;
  const { rect, options } = trace;
  // The quick techniques draw a picture at once, unless that gains them nothing.
  const bands = !isQuick(facts.settings.technique)
    ? tracedBands(rect, options, bandBytes)
    : tracer.isPipelined
      ? shortBands(rect)
      : [rect];
  const rows = rect.y1 - rect.y0;
  let writer: UnitWriter | null = null;
  let [samples, rays] = [0, 0];
  const traceBand = (band: PixelRect): Promise<TracedPixels> => {
    const done = (fraction: number): void => onProgress((band.y0 - rect.y0 + fraction * (band.y1 - band.y0)) / rows);
    return tracer.trace({ ...trace, rect: band }, done, signal);
  };
  // Only short bands may be in memory two at a time.
  let ahead: Promise<TracedPixels> | null = null;
  try {
    for (const [index, band] of bands.entries()) {
      const traced = await (ahead ?? traceBand(band));
      ahead = null;
      if (signal.aborted) throw new FarmError('Cancelled', 'rendering was cancelled');
      const next = bands[index + 1];
      if (next && tracer.isPipelined) ahead = traceBand(next);
      // Told where it is awaited.
      ahead?.catch(() => undefined);
      writer ??= await UnitWriter.open(outputFolder, rect, facts, processor);
      await writer.add(traced);
      samples += traced.samples;
      rays += traced.rays;
      if (tracer.isPipelined) tracer.recycle?.(traced);
    }
    return { ...(await writer!.close()), samples, rays };
  } catch (error) {
    await ahead?.catch(() => undefined);
    await writer?.abandon();
    throw error;
  }
}
