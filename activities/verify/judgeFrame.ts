/** What makes a rendered frame acceptable. Rules only; `verifyFrame.ts` brings the picture. */
import type { RefusalReason } from '../../domain/policy.ts';
import type { ExrInspection } from '../../renderer/image/exr/inspect.ts';

/** The layers that compositors and the denoiser of previews rely on: colour by name, the others by their prefix. */
const COLOUR = ['R', 'G', 'B', 'A'] as const;
const LAYERS = ['albedo.', 'normal.', 'depth.'] as const;

export interface ExpectedFrame {
  width: number;
  height: number;
}

/** Warnings do not refuse: fades are black and holds repeat. */
export interface FrameWarning {
  code: 'Black' | 'Duplicate';
  message: string;
}

export type Verdict =
  | { accepted: true; warnings: FrameWarning[] }
  | { accepted: false; reason: RefusalReason; message: string };

/** Size, layers and numbers of a frame. Infinite depth is what lies behind everything, so only colour must be finite. */
export function judgeFrame(picture: ExrInspection, expected: ExpectedFrame): Verdict {
  const { width, height, displayWindow: shown } = picture;
  const shownWidth = shown.xMax - shown.xMin + 1;
  const shownHeight = shown.yMax - shown.yMin + 1;
  if (
    [width, shownWidth].some((w) => w !== expected.width) ||
    [height, shownHeight].some((h) => h !== expected.height)
  ) {
    const message = `The frame is ${width}x${height}; ${expected.width}x${expected.height} was ordered.`;
    return { accepted: false, reason: 'Size', message };
  }
  const missing = [
    ...COLOUR.filter((name) => !picture.channels.includes(name)),
    ...LAYERS.filter((prefix) => !picture.channels.some((name) => name.startsWith(prefix))),
  ];
  if (missing.length > 0) {
    return { accepted: false, reason: 'Channels', message: `The frame lacks ${missing.join(', ')}.` };
  }
  if (picture.hasNaN || picture.hasInfinity) {
    const where = Object.entries(picture.stats)
      .filter(([name, { nan, infinite }]) => nan > 0 || (infinite > 0 && (COLOUR as readonly string[]).includes(name)))
      .map(([name, { nan, infinite }]) => `${name} (${nan} NaN, ${infinite} infinite)`);
    return { accepted: false, reason: 'NaN', message: `The frame holds numbers that are none: ${where.join(', ')}.` };
  }
  const warnings: FrameWarning[] = picture.allBlack ? [{ code: 'Black', message: 'The frame is black all over.' }] : [];
  return { accepted: true, warnings };
}
