import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SceneDescription } from '../scene/description.ts';
import type { TracedPixels, Tracer } from '../tracer.ts';
import { camera, constantEnvironment, material, place, request, scene, sphere, square } from '../wasm/test-scenes.ts';
import { createRaycaster } from './raycaster.ts';

const size = { width: 48, height: 40 };
const whole = request({ ...size, rect: { x0: 0, y0: 0, x1: 48, y1: 40 } });

let tracer: Tracer;
beforeAll(async () => {
  tracer = await createRaycaster({ threads: 2 });
});
afterAll(() => tracer?.close());

/** Bytes in hexadecimal: arrays are compared number by number, which takes longer than drawing them. */
const planes = ({ beauty, albedo, normal, depth }: TracedPixels): string[] =>
  [beauty, albedo, normal, depth].map((data) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  );

/** Scenes of other sizes, places, eyes and light, with glass and without. */
function shots(): SceneDescription[] {
  const [ball, wall] = [sphere(6), { ...square(1), material: 1 }];
  const base: SceneDescription = scene({
    meshes: [ball, wall],
    instances: [place(0, [0, 0.2, 0], 0.8), place(1, [0, -0.7, 0], 2)],
    materials: [material({ baseColor: [0.8, 0.3, 0.2, 1] }), material({ baseColor: [0.2, 0.4, 0.9, 0.5] })],
    environment: constantEnvironment([0.5, 0.6, 0.7]),
    camera: camera([1.2, 1.5, 4], [0, 0, 0], 0.8),
  });
  const glass = base.materials.map((one, index) => (index === 1 ? { ...one, alphaMode: 'blend' as const } : one));
  const lamp = {
    kind: 'point' as const,
    position: [1, 2, 1] as [number, number, number],
    intensity: [9, 9, 9] as const,
  };
  return [
    { ...base, instances: [place(0, [0.3, 0.2, 0], 0.8), place(1, [0, -0.7, 0], 2)] },
    base,
    { ...base, camera: camera([-1.2, 1.5, 4], [0, 0, 0], 0.8) },
    { ...base, materials: glass, meshes: [{ ...sphere(16), revision: 1 }, wall] },
    { ...base, environment: null, lights: [{ ...lamp, intensity: [...lamp.intensity] }] },
  ];
}

it('draws the same bits whatever it drew before, into arrays that it got back', async () => {
  const all = shots();
  const draw = async (shot: SceneDescription): Promise<string[]> => {
    await tracer.setScene(shot);
    const first = await tracer.trace(whole);
    const drawn = planes(first);
    tracer.recycle!(first);
    const second = await tracer.trace(whole);
    expect(second.beauty).toBe(first.beauty);
    expect(planes(second)).toEqual(drawn);
    return drawn;
  };
  const pictures: string[][] = [];
  for (const shot of all) pictures.push(await draw(shot));
  expect(new Set(pictures.map(([beauty]) => beauty)).size).toBe(all.length);
  // What would be left of another scene shows when they come in another order.
  for (const index of [...all.keys()].reverse()) expect(await draw(all[index]!)).toEqual(pictures[index]);
});

it('gives arrays away but once', async () => {
  await tracer.setScene(shots()[0]!);
  const [one, other] = [await tracer.trace(whole), await tracer.trace(whole)];
  expect(one.beauty).not.toBe(other.beauty);
});

it('draws bands with the bits of the whole', async () => {
  await tracer.setScene(shots()[3]!);
  const picture = planes(await tracer.trace(whole));
  const bands: string[][] = [];
  for (const [y0, y1] of [[0, 32] as const, [32, 40] as const]) {
    bands.push(planes(await tracer.trace({ ...whole, rect: { x0: 0, x1: 48, y0, y1 } })));
  }
  expect(bands[0]!.map((rows, plane) => rows + bands[1]![plane]!)).toEqual(picture);
});
