/** What makes a rendered frame acceptable. Rules only; `inspectThread.ts` brings the picture. */
import type { RefusalReason } from '../../domain/policy.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import type { ExrInspection } from '../../renderer/image/exr/inspect.ts';
import { frameChannels } from '../../renderer/pathtracer/frameLayers.ts';

const COLOUR = ['R', 'G', 'B', 'A'] as const;

/** What was ordered. */
export type ExpectedFrame = Pick<RenderSettings, 'width' | 'height' | 'crop' | 'output'>;

/** Warnings do not refuse: fades are black and holds repeat. */
export interface FrameWarning {
  code: 'Black' | 'Duplicate';
  message: string;
}

export type Verdict =
  | { accepted: true; warnings: FrameWarning[] }
  | { accepted: false; reason: RefusalReason; message: string };

/** The verdict on a frame whose bytes are not what they should be. */
export const damaged = (message: string): Verdict => ({ accepted: false, reason: 'Damaged', message });

/** Size, layers and numbers of a frame. Infinite depth is what lies behind everything, so only colour must be finite. */
export function judgeFrame(picture: ExrInspection, expected: ExpectedFrame): Verdict {
  const { width, height, displayWindow: shown } = picture;
  const shownWidth = shown.xMax - shown.xMin + 1;
  const shownHeight = shown.yMax - shown.yMin + 1;
  const ordered = {
    width: expected.crop ? expected.crop.x1 - expected.crop.x0 : expected.width,
    height: expected.crop ? expected.crop.y1 - expected.crop.y0 : expected.height,
  };
  const isWhole = shownWidth === expected.width && shownHeight === expected.height;
  if (!isWhole || width !== ordered.width || height !== ordered.height) {
    const message = `The frame is ${width}x${height}; ${ordered.width}x${ordered.height} was ordered.`;
    return { accepted: false, reason: 'Size', message };
  }
  const present = new Set(picture.channels);
  const missing = frameChannels(expected.output).filter(({ name }) => !present.has(name));
  if (missing.length > 0) {
    const message = `The frame lacks ${missing.map(({ name }) => name).join(', ')}.`;
    return { accepted: false, reason: 'Channels', message };
  }
  if (picture.hasNaN || picture.hasInfinity) {
    const where = Object.entries(picture.numbers)
      .filter(([name, { nan, infinite }]) => nan > 0 || (infinite > 0 && (COLOUR as readonly string[]).includes(name)))
      .map(([name, { nan, infinite }]) => `${name} (${nan} NaN, ${infinite} infinite)`);
    return { accepted: false, reason: 'NaN', message: `The frame holds numbers that are none: ${where.join(', ')}.` };
  }
  const warnings: FrameWarning[] = picture.allBlack ? [{ code: 'Black', message: 'The frame is black all over.' }] : [];
  return { accepted: true, warnings };
}
