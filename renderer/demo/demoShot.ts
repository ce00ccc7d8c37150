/**
 * The demo shot, "first light": a glass bunny, a copper monkey and their company on a round terrazzo table at sunset, while the camera travels around them. CC0 models and environment; everything else is made here.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Material } from '@gltf-transform/core';
import { loadEnvironment, loadModel } from './cc0Assets.ts';
import { writeGlbWithEnvironment } from './environmentGlb.ts';
import { SetBuilder } from './setBuilder.ts';
import { ring, slabSide, slabTop, sphere } from './shapes.ts';
import { terrazzoTexture } from './terrazzo.ts';

/** What the farm shall make of it. */
export const DEMO_SHOT = {
  name: 'first-light',
  frames: 24,
  fps: 24,
  start: 1,
  width: 480,
  height: 270,
  samples: 16,
} as const;

async function buildTable(set: SetBuilder): Promise<void> {
  const terrazzo = set.document
    .createTexture('terrazzo')
    .setImage(await terrazzoTexture(1024))
    .setMimeType('image/png');
  const stone = set.material('terrazzo', [0.62, 0.58, 0.55], 0, 0.16).setBaseColorTexture(terrazzo);
  set.place('table', set.mesh('table', slabTop(2.75, 0.06), stone), [0, 0, 0]);
  const slate = set.material('slate', [0.07, 0.07, 0.08], 0, 0.4);
  set.place('table side', set.mesh('table side', slabSide(2.75, 0.35, 0.06), slate), [0, 0, 0]);
  const brass = set.material('brass', [0.88, 0.66, 0.3], 1, 0.22);
  set.place('rim', set.mesh('rim', ring(2.76, 0.035), brass), [0, -0.16, 0]);
}

async function buildFigures(set: SetBuilder): Promise<void> {
  const [bunny, suzanne] = await Promise.all([loadModel('bunny'), loadModel('suzanne')]);
  const jade = set.glass('sea glass', [0.42, 0.86, 0.78], 1.4);
  const copper = set.material('copper', [0.95, 0.52, 0.36], 1, 0.24);
  set.place('bunny', set.mesh('bunny', bunny, jade), [0.42, 0.885, 0.1], 1, -18);
  set.place('suzanne', set.mesh('suzanne', suzanne, copper), [-1.28, 0.6, -0.42], 0.92, 24);

  const ball = sphere(40);
  const balls: [name: string, material: Material, x: number, z: number, radius: number][] = [
    ['coral', set.material('coral glaze', [0.86, 0.16, 0.1], 0, 0.32), -0.62, 0.98, 0.3],
    ['chrome', set.material('chrome', [0.96, 0.96, 0.97], 1, 0.03), 1.62, 0.72, 0.36],
    ['saffron', set.material('saffron clay', [0.9, 0.55, 0.08], 0, 0.75), 1.5, -0.62, 0.27],
    ['ink', set.material('ink glaze', [0.03, 0.07, 0.22], 0, 0.12), 0.72, 1.36, 0.19],
    ['pearl', set.material('pearl', [0.85, 0.82, 0.78], 0, 0.38), -1.55, 0.92, 0.2],
    ['gold', set.material('gold', [1, 0.76, 0.34], 1, 0.12), -0.1, 1.55, 0.15],
  ];
  for (const [name, material, x, z, radius] of balls)
    set.place(name, set.mesh(name, ball, material), [x, radius, z], radius);
}

/** Slow at both ends (smootherstep, Perlin 2002). */
const ease = (t: number): number => t * t * t * (t * (t * 6 - 15) + 10);

function buildCamera(set: SetBuilder): void {
  const { frames, width, height } = DEMO_SHOT;
  const rig = set.place('camera rig', null, [0, 0.62, 0]);
  const lens = set.document
    .createCamera('shot camera')
    .setType('perspective')
    .setYFov(0.52)
    .setAspectRatio(width / height)
    .setZNear(0.05)
    .setZFar(100);
  const camera = set.place('shot camera', null, [0, 0, 0], 1, 0, rig).setCamera(lens);
  const rigTurns: number[][] = [];
  const places: number[][] = [];
  const tilts: number[][] = [];
  for (let frame = 0; frame < frames; frame++) {
    const t = ease(frame / (frames - 1));
    const yaw = ((-34 + 62 * t) * Math.PI) / 180;
    // Starts wide and low, ends nearer and a little higher.
    const distance = 7.4 - 1.1 * t;
    const height_ = 1.05 + 0.75 * t;
    const tilt = -Math.atan2(height_, distance);
    rigTurns.push([0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)]);
    places.push([0, height_, distance]);
    tilts.push([Math.sin(tilt / 2), 0, 0, Math.cos(tilt / 2)]);
  }
  set.animate('camera move', rig, 'rotation', rigTurns);
  set.animate('camera move', camera, 'translation', places);
  set.animate('camera move', camera, 'rotation', tilts);
}

/** Writes the demo shot as one `.glb`: 24 frames at 24 frames a second, made for 480×270. Creates the folder. */
export async function buildDemoShot(outFile: string): Promise<void> {
  const set = new SetBuilder(DEMO_SHOT.fps);
  await buildTable(set);
  await buildFigures(set);
  buildCamera(set);
  const bytes = await writeGlbWithEnvironment(
    set.document,
    { bytes: await loadEnvironment('sunset'), mimeType: 'image/x-exr', intensity: 1.4, rotation: 0 },
    { fps: DEMO_SHOT.fps, start: DEMO_SHOT.start },
  );
  await mkdir(path.dirname(outFile), { recursive: true });
  await writeFile(outFile, bytes);
}
