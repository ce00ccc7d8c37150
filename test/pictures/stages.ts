/** The scenes that the documentation's pictures show, each written as one `.glb`. */
import { writeFile } from 'node:fs/promises';
import { type Material, NodeIO, type vec4 } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  KHRMaterialsClearcoat,
  KHRMaterialsDispersion,
  KHRMaterialsEmissiveStrength,
  KHRMaterialsIridescence,
  KHRMaterialsSheen,
} from '@gltf-transform/extensions';
import sharp from 'sharp';
import { loadEnvironment, loadModel } from '../../renderer/demo/cc0Assets.ts';
import { writeGlbWithEnvironment } from '../../renderer/demo/environmentGlb.ts';
import { type Rgb, SetBuilder } from '../../renderer/demo/setBuilder.ts';
import { slabTop, sphere } from '../../renderer/demo/shapes.ts';

const FPS = 24;

/** Turn about X, radians. */
const tilt = (angle: number): vec4 => [Math.sin(angle / 2), 0, 0, Math.cos(angle / 2)];
/** Turn about Y, radians. */
const turn = (angle: number): vec4 => [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];

/** A camera at `distance` and `height` that looks along -Z at `target`. */
function look(set: SetBuilder, target: Rgb, distance: number, height: number, yfov: number): void {
  const lens = set.document
    .createCamera('camera')
    .setType('perspective')
    .setYFov(yfov)
    .setZNear(distance / 100);
  set
    .place('camera', null, [target[0], target[1] + height, target[2] + distance])
    .setCamera(lens)
    .setRotation(tilt(-Math.atan2(height, distance)));
}

/** Makes the material a lamp of so much radiance. */
function glow(set: SetBuilder, material: Material, color: Rgb, strength: number): Material {
  const extension = set.document.createExtension(KHRMaterialsEmissiveStrength).createEmissiveStrength();
  return material
    .setEmissiveFactor(color)
    .setExtension('KHR_materials_emissive_strength', extension.setEmissiveStrength(strength));
}

/** A checker of two greys, for refraction to bend: a texture is a metre wide and has two fields a side. */
function checker(set: SetBuilder, dark: number, light: number, size = 256): Promise<Material> {
  const pixels = Buffer.alloc(size * size, 0);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) pixels[y * size + x] = x < size / 2 === y < size / 2 ? dark : light;
  const raw = { width: size, height: size, channels: 1 as const };
  return sharp(pixels, { raw })
    .png()
    .toBuffer()
    .then((bytes) => {
      const texture = set.document.createTexture('checker').setImage(new Uint8Array(bytes)).setMimeType('image/png');
      return set.material('checker', [1, 1, 1], 0, 0.7).setBaseColorTexture(texture);
    });
}

/** Without an environment it is the studio that lights the scene. */
async function write(set: SetBuilder, file: string, sunset?: { intensity: number; rotation: number }): Promise<void> {
  const bytes = sunset
    ? await writeGlbWithEnvironment(
        set.document,
        { bytes: await loadEnvironment('sunset'), mimeType: 'image/x-exr', ...sunset },
        { fps: FPS, start: 1 },
      )
    : await new NodeIO().registerExtensions(ALL_EXTENSIONS).writeBinary(set.document);
  await writeFile(file, bytes);
}

/** Six materials by seven roughnesses from 0 to 1, in front of a checkered wall. */
export async function materialGrid(file: string): Promise<void> {
  const set = new SetBuilder(FPS);
  const { document } = set;
  const coat = document.createExtension(KHRMaterialsClearcoat);
  const sheen = document.createExtension(KHRMaterialsSheen);
  const film = document.createExtension(KHRMaterialsIridescence);
  const rows: ((roughness: number) => Material)[] = [
    (roughness) => set.material('plastic', [0.75, 0.08, 0.05], 0, roughness),
    (roughness) => set.material('metal', [1, 0.74, 0.32], 1, roughness),
    (roughness) => set.glass('glass', [0.86, 0.97, 0.94], 1, roughness),
    (roughness) =>
      set
        .material('coat', [0.03, 0.12, 0.45], 0.4, 0.55)
        .setExtension(
          'KHR_materials_clearcoat',
          coat.createClearcoat().setClearcoatFactor(1).setClearcoatRoughnessFactor(roughness),
        ),
    (roughness) =>
      set
        .material('sheen', [0.16, 0.03, 0.2], 0, 1)
        .setExtension(
          'KHR_materials_sheen',
          sheen.createSheen().setSheenColorFactor([0.9, 0.6, 0.95]).setSheenRoughnessFactor(roughness),
        ),
    (roughness) =>
      set
        .material('film', [0.8, 0.8, 0.8], 1, roughness)
        .setExtension(
          'KHR_materials_iridescence',
          film.createIridescence().setIridescenceFactor(1).setIridescenceIOR(1.8).setIridescenceThicknessMaximum(420),
        ),
  ];
  const columns = 7;
  const ball = sphere(48);
  for (const [row, materialOf] of rows.entries()) {
    for (let column = 0; column < columns; column++) {
      const name = `${row}/${column}`;
      const mesh = set.mesh(name, ball, materialOf(column / (columns - 1)));
      set.place(name, mesh, [column - (columns - 1) / 2, (rows.length - 1) / 2 - row, 0], 0.43);
    }
  }
  const wall = set.mesh('wall', slabTop(9, 0.1), await checker(set, 120, 165));
  set.place('wall', wall, [0, 0, -2.5]).setRotation(tilt(Math.PI / 2));
  look(set, [0, 0, 0], 30, 0, 2 * Math.atan(rows.length / 2 / 30));
  await write(set, file);
}

/** A glass bunny and a dispersing ball under a large lamp at dusk: soft shadows and caustics. */
export async function glassAtDusk(file: string): Promise<void> {
  const set = new SetBuilder(FPS);
  const floor = set.mesh('floor', slabTop(9, 0.1), set.material('floor', [0.62, 0.58, 0.54], 0, 0.6));
  set.place('floor', floor, [0, 0, 0]);
  const amber = set.glass('amber', [0.95, 0.62, 0.25], 1.2);
  set.place('bunny', set.mesh('bunny', await loadModel('bunny'), amber), [-0.85, 0.885, -0.1], 1, 16);
  const flint = set.glass('flint', [0.98, 0.99, 1], 4);
  flint.setExtension(
    'KHR_materials_dispersion',
    set.document.createExtension(KHRMaterialsDispersion).createDispersion().setDispersion(4),
  );
  const ball = sphere(64);
  set.place('ball', set.mesh('ball', ball, flint), [1, 0.55, 0.15], 0.55);
  set.place('clay', set.mesh('clay', ball, set.material('clay', [0.16, 0.32, 0.5], 0, 0.5)), [0.2, 0.25, 1], 0.25);
  const lamp = glow(set, set.material('lamp', [0, 0, 0], 0, 1), [1, 0.86, 0.66], 24);
  set.place('lamp', set.mesh('lamp', sphere(24), lamp), [-3.2, 4.2, -2.6], 0.9);
  look(set, [0.05, 0.62, 0], 6, 1.9, 0.42);
  await write(set, file, { intensity: 0.45, rotation: 0.6 });
}

/** A copper monkey, an inch wide, and a ring of balls that spins about it 36 degrees a frame. */
export async function carousel(file: string): Promise<void> {
  const set = new SetBuilder(FPS);
  const floor = set.mesh('floor', slabTop(0.36, 0.004), set.material('floor', [0.42, 0.42, 0.44], 0, 0.35));
  set.place('floor', floor, [0, 0, 0]);
  const copper = set.material('copper', [0.95, 0.52, 0.36], 1, 0.25);
  set.place('monkey', set.mesh('monkey', await loadModel('suzanne'), copper), [0, 0.0264, 0], 0.04, 12);
  const rig = set.place('rig', null, [0, 0, 0]);
  const colors: Rgb[] = [
    [0.8, 0.12, 0.08],
    [0.9, 0.6, 0.1],
    [0.1, 0.45, 0.25],
    [0.08, 0.2, 0.6],
    [0.85, 0.82, 0.78],
  ];
  const ball = sphere(32);
  const [count, radius, ring] = [10, 0.0104, 0.076];
  for (let i = 0; i < count; i++) {
    const angle = ((i + 0.5) / count) * 2 * Math.PI;
    const mesh = set.mesh(`ball ${i}`, ball, set.material(`ball ${i}`, colors[i % colors.length]!, 0, 0.2));
    set.place(`ball ${i}`, mesh, [ring * Math.sin(angle), radius, ring * Math.cos(angle)], radius, 0, rig);
  }
  set.animate(
    'spin',
    rig,
    'rotation',
    [0, 1, 2].map((frame) => [...turn((frame * Math.PI) / 5)]),
  );
  look(set, [0, 0.016, 0], 0.25, 0.085, 0.46);
  await write(set, file, { intensity: 1.1, rotation: 2.2 });
}

/** Hundreds of little lamps (600 places, without those between camera and figures) about a bunny and a monkey, and no other light. */
export async function lampField(file: string): Promise<void> {
  const set = new SetBuilder(FPS);
  const floor = set.mesh('floor', slabTop(14, 0.1), set.material('floor', [0.5, 0.5, 0.52], 0, 0.28));
  set.place('floor', floor, [0, 0, 0]);
  const white = set.material('plaster', [0.8, 0.8, 0.8], 0, 0.6);
  set.place('bunny', set.mesh('bunny', await loadModel('bunny'), white), [-1.15, 0.885, 0], 1, -10);
  const steel = set.material('steel', [0.8, 0.8, 0.82], 1, 0.3);
  set.place('monkey', set.mesh('monkey', await loadModel('suzanne'), steel), [1.3, 0.59, 0.2], 0.9, -14);
  const colors: Rgb[] = [
    [1, 0.55, 0.2],
    [1, 0.25, 0.4],
    [0.3, 0.55, 1],
    [0.4, 1, 0.75],
  ];
  const bulb = sphere(5);
  const meshes = colors.map((color, i) =>
    set.mesh(`bulb ${i}`, bulb, glow(set, set.material(`bulb ${i}`, [0, 0, 0], 0, 1), color, 110)),
  );
  const count = 600;
  for (let i = 0; i < count; i++) {
    // As seeds lie in a sunflower (Vogel 1979); heights by another irrational number.
    const [radius, angle] = [1.2 + 9 * Math.sqrt((i + 0.5) / count), i * 2.399_963];
    const at: Rgb = [radius * Math.sin(angle), 0.06 + 2.4 * ((i * Math.SQRT2) % 1) ** 2, radius * Math.cos(angle)];
    // None between the camera and the figures.
    if (at[2] > 3) continue;
    set.place(`lamp ${i}`, meshes[i % meshes.length]!, at, 0.03);
  }
  look(set, [0, 0.85, 0], 7, 1.1, 0.42);
  await write(set, file);
}
