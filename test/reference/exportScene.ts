/**
 * Writes a scene description as plain arrays that another renderer's script can read: `scene.json` beside raw little-endian
 * files. Nothing is converted: conventions are the reading side's business, so that they are written down there.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { SceneDescription } from '../../renderer/pathtracer/scene/description.ts';

type Raw = Float32Array | Uint32Array;

/** Writes the scene below `folder`, which is made. `width` and `height` are the picture's. */
export async function exportScene(
  scene: SceneDescription,
  folder: string,
  picture: { width: number; height: number },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const raw = async (name: string, values: Raw | null): Promise<string | null> => {
    if (!values) return null;
    await writeFile(join(folder, name), Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    return name;
  };
  const meshes = await Promise.all(
    scene.meshes.map(async (mesh, index) => ({
      material: mesh.material,
      positions: await raw(`mesh${index}.positions`, mesh.positions),
      normals: await raw(`mesh${index}.normals`, mesh.normals),
      uv0: await raw(`mesh${index}.uv0`, mesh.uv0),
      uv1: await raw(`mesh${index}.uv1`, mesh.uv1),
      colors: await raw(`mesh${index}.colors`, mesh.colors),
      indices: await raw(`mesh${index}.indices`, mesh.indices),
    })),
  );
  const images = await Promise.all(
    scene.images.map(async ({ width, height, data }, index) => {
      const name = `image${index}.png`;
      await sharp(data, { raw: { width, height, channels: 4 } })
        .png({ compressionLevel: 1 })
        .toFile(join(folder, name));
      return name;
    }),
  );
  const { environment } = scene;
  const json = {
    ...picture,
    meshes,
    images,
    instances: scene.instances.map(({ mesh, transform, name }) => ({ mesh, name, transform: [...transform] })),
    materials: scene.materials.map((material) => ({
      ...material,
      attenuationDistance: Number.isFinite(material.attenuationDistance) ? material.attenuationDistance : null,
    })),
    lights: scene.lights,
    environment: environment && {
      file: await raw('environment', environment.data),
      width: environment.width,
      height: environment.height,
      rotation: environment.rotation,
      intensity: environment.intensity,
    },
    camera: { ...scene.camera, transform: [...scene.camera.transform] },
  };
  await writeFile(join(folder, 'scene.json'), JSON.stringify(json));
}
