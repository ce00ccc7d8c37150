/** Intersection, instancing, textures, alpha, layers and refusals. */
import { afterAll, describe, expect, it } from 'vitest';
import type { MeshGeometry, SceneDescription, TextureRef } from '../scene/description.ts';
import {
  camera,
  constantEnvironment,
  IDENTITY,
  material,
  meanOf,
  mesh,
  place,
  type RequestChanges,
  request,
  scene,
  sphere,
  square,
} from './test-scenes.ts';
import { createCpuTracer } from './tracer.ts';

const shared = createCpuTracer({ threads: 1 });
afterAll(async () => (await shared).close());

async function render(description: SceneDescription, changes: RequestChanges = {}) {
  const tracer = await shared;
  await tracer.setScene(description);
  return tracer.trace(request(changes));
}

/** Deterministic numbers in 0..1 (Lehmer). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}

describe('intersection', () => {
  it('finds in a soup of triangles what testing every triangle finds', async () => {
    const random = numbers(7);
    const positions: number[] = [];
    for (let i = 0; i < 400; i++) {
      const centre = [0, 1, 2].map(() => random.next().value * 2 - 1);
      for (let k = 0; k < 3; k++)
        for (let axis = 0; axis < 3; axis++) positions.push(centre[axis]! + random.next().value * 0.3);
    }
    const soup = mesh(
      positions,
      Array.from({ length: 1200 }, (_, i) => i),
    );
    const size = 48;
    const pixels = await render(
      scene({
        meshes: [soup],
        instances: [place(0)],
        camera: { ...camera([0, 0, 5]), projection: { kind: 'orthographic', ymag: 1.5 } },
      }),
      { width: size, height: size, sampleCount: 1, maxDepth: 0 },
    );
    // Rays lie somewhere inside a pixel's filter, so compare coverage, and depth against the range that triangles allow.
    let agreeing = 0;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const px = ((x + 0.5) / size - 0.5) * 3;
        const py = (0.5 - (y + 0.5) / size) * 3;
        const expected = nearestDepth(soup, px, py);
        const found = pixels.depth[y * size + x]!;
        if (expected === found || Math.abs(expected - found) < 0.05) agreeing++;
      }
    }
    expect(agreeing / size ** 2).toBeGreaterThan(0.85);
  });

  /** Depth from z = 5 straight down -z, by brute force. */
  function nearestDepth(soup: MeshGeometry, px: number, py: number): number {
    let nearest = Infinity;
    const p = soup.positions;
    for (let i = 0; i < p.length; i += 9) {
      const [ax, ay, bx, by, cx, cy] = [p[i]!, p[i + 1]!, p[i + 3]!, p[i + 4]!, p[i + 6]!, p[i + 7]!];
      const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      const u = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area;
      const v = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area;
      if (u < 0 || v < 0 || u + v > 1) continue;
      nearest = Math.min(nearest, 5 - (p[i + 2]! * (1 - u - v) + p[i + 5]! * u + p[i + 8]! * v));
    }
    return nearest;
  }

  it('sees no holes in a closed mesh', async () => {
    const pixels = await render(
      scene({ meshes: [sphere(64)], instances: [place(0)], camera: camera([0, 0, 3], [0, 0, 0], 0.3) }),
      { width: 64, height: 64, maxDepth: 0 },
    );
    for (let i = 3; i < pixels.beauty.length; i += 4) expect(pixels.beauty[i]).toBe(1);
  });

  it('drops degenerate triangles and survives a mesh that has no others', async () => {
    const flat = mesh([0, 0, 0, 1, 0, 0, 2, 0, 0, NaN, 0, 0, 1, 1, 1, 0, 1, 0], [0, 1, 2, 3, 4, 5]);
    const pixels = await render(scene({ meshes: [flat], instances: [place(0)], environment: constantEnvironment() }));
    expect(meanOf(pixels)).toBe(1);
  });
});

describe('instances', () => {
  it('look like copies of their geometry', async () => {
    const shape = sphere(16);
    const shifted: MeshGeometry = {
      ...shape,
      id: 900_001,
      positions: shape.positions.map((value, i) => (i % 3 === 0 ? value + 2.5 : value)),
    };
    const common = { environment: constantEnvironment([0.5, 1, 1.5]), camera: camera([1.25, 1, 7], [1.25, 0, 0]) };
    const instanced = await render(
      scene({ ...common, meshes: [shape], instances: [place(0), place(0, [2.5, 0, 0])] }),
      { sampleCount: 32 },
    );
    const copied = await render(scene({ ...common, meshes: [shape, shifted], instances: [place(0), place(1)] }), {
      sampleCount: 32,
    });
    let difference = 0;
    for (let i = 0; i < copied.beauty.length; i++) difference += Math.abs(copied.beauty[i]! - instanced.beauty[i]!);
    expect(difference / copied.beauty.length).toBeLessThan(1e-3);
  });

  it('keep their normals outside when mirrored and stretched', async () => {
    const transform = Float32Array.from([-1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]);
    const pixels = await render(
      scene({
        meshes: [sphere(32)],
        instances: [{ mesh: 0, name: 'mirrored', transform }],
        camera: camera([0, 0, 4], [0, 0, 0], 0.05),
      }),
      { maxDepth: 0 },
    );
    for (let i = 2; i < pixels.normal.length; i += 3) expect(pixels.normal[i]).toBeGreaterThan(0.9);
  });

  it('follow a mesh whose vertices moved, also when another scene uses the same id', async () => {
    const shape = square(1);
    const looking = { environment: null, camera: camera([0, 5, 0.001], [0, 0, 0], 0.1) };
    const depthOf = async (seen: MeshGeometry): Promise<number> =>
      (await render(scene({ ...looking, meshes: [seen], instances: [place(0)] }), { maxDepth: 0 })).depth[0]!;
    expect(await depthOf(shape)).toBeCloseTo(5, 2);
    expect(await depthOf(shape)).toBeCloseTo(5, 2);
    const raised = { ...shape, positions: shape.positions.map((value, i) => (i % 3 === 1 ? 1 : value)) };
    expect(await depthOf({ ...raised, revision: 1 })).toBeCloseTo(4, 2);
    expect(await depthOf({ ...shape, revision: 1 })).toBeCloseTo(5, 2);
  });
});

describe('textures', () => {
  const checker = {
    width: 2,
    height: 2,
    data: Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 188, 188, 188, 0]),
  };
  const texture = (changes: Partial<TextureRef> = {}): TextureRef => ({
    image: 0,
    srgb: true,
    wrapS: 'repeat',
    wrapT: 'repeat',
    nearest: true,
    texCoord: 0,
    uvTransform: [1, 0, 0, 0, 1, 0],
    ...changes,
  });
  /** Unlit square filling the picture from above; picture left/up is -x/-z is uv 0/0. */
  const show = (ref: TextureRef, changes: Parameters<typeof material>[0] = {}): SceneDescription =>
    scene({
      meshes: [square(1)],
      instances: [place(0)],
      materials: [material({ unlit: true, baseColorTexture: ref, ...changes })],
      images: [checker],
      camera: { ...camera([0, 3, 0]), projection: { kind: 'orthographic', ymag: 1 } },
    });
  const colour = (pixels: { beauty: Float32Array }, x: number, y: number): number[] =>
    [...pixels.beauty.subarray((y * 16 + x) * 4, (y * 16 + x) * 4 + 3)].map((value) => Math.round(value * 1000) / 1000);

  it('have their first row on top, decoded from sRGB', async () => {
    const pixels = await render(show(texture()));
    expect(colour(pixels, 3, 3)).toEqual([1, 0, 0]);
    expect(colour(pixels, 12, 3)).toEqual([0, 1, 0]);
    expect(colour(pixels, 3, 12)).toEqual([0, 0, 1]);
    expect(colour(pixels, 12, 12)[0]).toBeCloseTo(0.503, 2);
  });

  it('blend between texels when bilinear', async () => {
    const pixels = await render(show(texture({ nearest: false, wrapS: 'clamp', wrapT: 'clamp' })), { sampleCount: 64 });
    const [r, g, b] = colour(pixels, 7, 1);
    expect(r! + g!).toBeCloseTo(1, 2);
    expect(r).toBeGreaterThan(0.4);
    expect(g).toBeGreaterThan(0.4);
    expect(b).toBe(0);
  });

  it('repeat, mirror and clamp outside 0..1', async () => {
    const twice = (wrap: TextureRef['wrapS']): TextureRef =>
      texture({ wrapS: wrap, wrapT: wrap, uvTransform: [2, 0, 0, 0, 2, 0] });
    expect(colour(await render(show(twice('repeat'))), 9, 1)).toEqual([1, 0, 0]);
    expect(colour(await render(show(twice('mirror'))), 9, 1)).toEqual([0, 1, 0]);
    expect(colour(await render(show(twice('clamp'))), 14, 1)).toEqual([0, 1, 0]);
  });

  it('cut out by an alpha mask, and thin out by blending', async () => {
    const masked = show(texture(), { alphaMode: 'mask' });
    const pixels = await render(masked);
    expect(pixels.beauty[(12 * 16 + 12) * 4 + 3]).toBe(0);
    expect(pixels.beauty[(3 * 16 + 3) * 4 + 3]).toBe(1);
    const blended = show(texture({ image: 0 }), {
      alphaMode: 'blend',
      baseColor: [1, 1, 1, 0.25],
      baseColorTexture: null,
    });
    expect(meanOf(await render(blended, { sampleCount: 256 }), 3)).toBeCloseTo(0.25, 2);
  });

  it('bend normals', async () => {
    const slanted = { width: 1, height: 1, data: Uint8Array.from([218, 128, 218, 255]) };
    const description = show(texture(), {
      baseColorTexture: null,
      unlit: false,
      normalTexture: texture({ srgb: false }),
    });
    const pixels = await render({ ...description, images: [slanted] }, { maxDepth: 0 });
    expect(pixels.normal[0]).toBeCloseTo(Math.SQRT1_2, 1);
    expect(pixels.normal[1]).toBeCloseTo(Math.SQRT1_2, 1);
  });
});

describe('layers', () => {
  it('give depth along the axis, normal and albedo of the first hit', async () => {
    const pixels = await render(
      scene({
        meshes: [square(50)],
        instances: [place(0)],
        materials: [material({ baseColor: [0.2, 0.4, 0.6, 1] })],
        environment: constantEnvironment(),
        camera: camera([0, 4, 0.001], [0, 0, 0], 1),
      }),
    );
    for (let i = 0; i < 256; i++) expect(pixels.depth[i]).toBeCloseTo(4, 2);
    expect([...pixels.albedo.subarray(0, 3)].map((value) => value.toFixed(3))).toEqual(['0.200', '0.400', '0.600']);
    expect(pixels.normal[1]).toBeCloseTo(1, 5);
  });

  it('leave alpha 0 where there is neither surface nor environment', async () => {
    const pixels = await render(scene({}));
    expect(pixels.beauty.every((value) => value === 0)).toBe(true);
  });
});

describe('refusals', () => {
  it('name the mesh whose index is out of range', async () => {
    const tracer = await shared;
    const broken = { ...square(1), indices: Uint32Array.from([0, 1, 9]) };
    await expect(tracer.setScene(scene({ meshes: [broken], instances: [place(0)] }))).rejects.toMatchObject({
      code: 'SceneInvalid',
    });
    await expect(tracer.trace(request())).rejects.toMatchObject({ code: 'Internal' });
  });

  it('refuse a transform that is not finite', async () => {
    const tracer = await shared;
    const transform = IDENTITY.slice();
    transform[5] = NaN;
    await expect(
      tracer.setScene(scene({ meshes: [square(1)], instances: [{ mesh: 0, name: 'bad', transform }] })),
    ).rejects.toMatchObject({ code: 'SceneInvalid', place: { node: 'bad' } });
  });

  it('refuse a scene that does not fit, and go on with one that does', async () => {
    const tracer = await createCpuTracer({ threads: 1, maximumBytes: 24 * 2 ** 20 });
    try {
      await expect(tracer.setScene(scene({ meshes: [sphere(300)], instances: [place(0)] }))).rejects.toMatchObject({
        code: 'SceneTooLarge',
      });
      await tracer.setScene(scene({ meshes: [square(1)], instances: [place(0)] }));
      expect((await tracer.trace(request({ sampleCount: 1 }))).samples).toBe(256);
    } finally {
      await tracer.close();
    }
  });

  it('refuse impossible requests', async () => {
    const tracer = await shared;
    await tracer.setScene(scene({}));
    for (const changes of [{ sampleCount: 0 }, { rect: { x0: 0, y0: 0, x1: 17, y1: 1 } }, { maxDepth: -1 }]) {
      await expect(tracer.trace(request(changes))).rejects.toMatchObject({ code: 'SettingInvalid' });
    }
    await expect(createCpuTracer({ threads: 0 })).rejects.toMatchObject({ code: 'SettingInvalid' });
  });
});
