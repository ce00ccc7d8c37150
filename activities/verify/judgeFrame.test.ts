import { expect, it } from 'vitest';
import { DEFAULT_RENDER_SETTINGS } from '../../domain/scene.ts';
import { inspectExr } from '../../renderer/image/exr/inspect.ts';
import { encodeExr } from '../../renderer/image/exr/write.ts';
import { judgeFrame } from './judgeFrame.ts';

const LAYERS = ['R', 'G', 'B', 'A', 'albedo.R', 'albedo.G', 'albedo.B', 'normal.X', 'normal.Y', 'normal.Z', 'depth.Z'];

/** A real EXR of 4 by 3 pixels, whose channels hold `value(name, pixel)`. */
async function frame(value: (name: string, pixel: number) => number, names = LAYERS, width = 4, height = 3) {
  const channels = names.map((name) => ({
    name,
    type: 'half' as const,
    data: Float32Array.from({ length: width * height }, (_, pixel) => value(name, pixel)),
    stride: 1,
    offset: 0,
  }));
  return inspectExr(await encodeExr({ width, height, channels, compression: 'zip' }));
}

const expected = { ...DEFAULT_RENDER_SETTINGS, width: 4, height: 3 };

it('accepts a whole frame, also with infinite depth', async () => {
  const picture = await frame((name) => (name === 'depth.Z' ? Number.POSITIVE_INFINITY : 0.5));
  expect(judgeFrame(picture, expected)).toEqual({ accepted: true, warnings: [] });
});

it('warns of a black frame, and accepts it', async () => {
  const picture = await frame((name) => (name === 'A' ? 1 : 0));
  expect(judgeFrame(picture, expected)).toMatchObject({ accepted: true, warnings: [{ code: 'Black' }] });
});

it.each([
  [5, 3],
  [4, 2],
  [3, 4],
])('refuses %i by %i pixels', async (width, height) => {
  const picture = await frame(() => 1, LAYERS, width, height);
  expect(judgeFrame(picture, expected)).toMatchObject({ accepted: false, reason: 'Size' });
});

it.each([
  ['A', LAYERS.filter((name) => name !== 'A')],
  ['albedo.', LAYERS.filter((name) => !name.startsWith('albedo'))],
  ['depth.', LAYERS.filter((name) => !name.startsWith('depth'))],
])('refuses a frame without %s', async (missing, names) => {
  const verdict = judgeFrame(await frame(() => 1, names), expected);
  expect(verdict).toMatchObject({ accepted: false, reason: 'Channels' });
  expect(verdict).toHaveProperty('message', expect.stringContaining(missing));
});

it.each(LAYERS)('refuses a single NaN in %s and names the layer', async (bad) => {
  const picture = await frame((name, pixel) => (name === bad && pixel === 7 ? Number.NaN : 1));
  const verdict = judgeFrame(picture, expected);
  expect(verdict).toMatchObject({ accepted: false, reason: 'NaN' });
  expect(verdict).toHaveProperty('message', expect.stringContaining(`${bad} (1 NaN`));
});

it('asks for the layers and the crop that were ordered, and no others', async () => {
  const output = { ...expected.output, layers: ['beauty' as const] };
  const colours = await frame(() => 1, ['R', 'G', 'B', 'A']);
  expect(judgeFrame(colours, { ...expected, output })).toMatchObject({ accepted: true });
  const more = { ...output, layers: ['beauty' as const, 'cryptomatte_object' as const] };
  expect(judgeFrame(colours, { ...expected, output: more })).toMatchObject({ accepted: false, reason: 'Channels' });
  const crop = { x0: 0, y0: 1, x1: 4, y1: 3 };
  expect(judgeFrame(colours, { ...expected, output, crop })).toMatchObject({ accepted: false, reason: 'Size' });
});
