import { afterAll, expect, it } from 'vitest';
import { openEngine, openShot } from './local.ts';
import { projectWith, toGlb, triangleScene } from './pathtracer/gltf/tinyScenes.ts';

const engine = openEngine();
afterAll(() => engine.close());

it('says of frames beyond the animation that they hold, as the farm does', async () => {
  const root = await projectWith({ 'a.glb': toGlb(triangleScene()) });
  const warningsFor = async (frames: string): Promise<string[]> => {
    const { inspection } = await openShot(engine, root, { frames });
    return inspection.warnings.filter(({ code }) => code === 'FrameRangeHolds').map(({ message }) => message);
  };
  expect(await warningsFor('1-10')).toEqual(['Nothing moves in this scene, so all 10 frames show the same.']);
  expect(await warningsFor('1')).toEqual([]);
});
