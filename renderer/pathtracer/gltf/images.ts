/** Decodes the pictures inside a scene, once, with bounds against decompression bombs. */
import type { Texture } from '@gltf-transform/core';
import sharp from 'sharp';
import { FarmError } from '../../../domain/errors.ts';
import type { InspectedTexture } from '../../../domain/scene.ts';
import type { TextureImage } from '../scene/description.ts';
import { decodeKtx2, isKtx2, readKtx2Size } from './ktx2.ts';

/** Largest picture: 16,384 × 16,384. */
const MAX_IMAGE_PIXELS = 16_384 * 16_384;
/** All textures together, decoded. */
const MAX_TEXTURE_BYTES = 8 * 2 ** 30;

/** What a picture is called in messages: its file, its name or its number. */
function textureLabel(texture: Texture, index: number): string {
  return texture.getURI() || texture.getName() || `image ${index}`;
}

function damaged(file: string, label: string, cause: unknown): FarmError {
  const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  return new FarmError(
    'SceneInvalid',
    `${file}: texture ${label} cannot be read: ${why}`,
    { file, texture: label },
    { cause },
  );
}

/** ICC profiles are ignored, as glTF 2.0, 3.8.3 asks; a picture that is cut off is an error. */
const open = (bytes: Uint8Array) =>
  sharp(bytes, {
    ignoreIcc: true,
    failOn: 'truncated',
    limitInputPixels: MAX_IMAGE_PIXELS,
    animated: false,
    sequentialRead: true,
  });

/** Size and kind of a picture, from its header. Throws `SceneInvalid`, and `SceneTooLarge` for absurd sizes. */
export async function describeTexture(texture: Texture, index: number, file: string): Promise<InspectedTexture> {
  const label = textureLabel(texture, index);
  const bytes = texture.getImage();
  if (!bytes?.length) throw damaged(file, label, 'it holds no bytes');
  const measure = async () => (isKtx2(bytes) ? readKtx2Size(bytes) : open(bytes).metadata());
  const { width, height } = await measure().catch((cause: unknown) => {
    throw damaged(file, label, cause);
  });
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new FarmError('SceneTooLarge', `${file}: texture ${label} has ${width}x${height} pixels`, {
      file,
      texture: label,
    });
  }
  return { name: label, width, height, mimeType: texture.getMimeType(), sizeBytes: bytes.length };
}

/** Decodes to RGBA8, row 0 on top. */
export async function decodeTexture(texture: Texture, index: number, file: string): Promise<TextureImage> {
  const bytes = texture.getImage()!;
  try {
    if (isKtx2(bytes)) return await decodeKtx2(bytes);
    const { data, info } = await open(bytes)
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 4) throw new Error(`it has ${info.channels} channels`);
    return {
      width: info.width,
      height: info.height,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  } catch (cause) {
    throw damaged(file, textureLabel(texture, index), cause);
  }
}

/** Throws `SceneTooLarge` when the textures together would not fit into memory. */
export function checkTextureBudget(textures: InspectedTexture[], file: string): void {
  const bytes = textures.reduce((sum, texture) => sum + texture.width * texture.height * 4, 0);
  if (bytes > MAX_TEXTURE_BYTES) {
    const gibibytes = (bytes / 2 ** 30).toFixed(1);
    throw new FarmError('SceneTooLarge', `${file}: its textures take ${gibibytes} GiB when decoded`, { file, bytes });
  }
}
