/** What the raster draft draws into, and the way back to memory. */
/// <reference types="@webgpu/types" />
import type { TracedPixels } from '../tracer.ts';

/** Beauty, base colour, normal with depth: 32 bytes a pixel, what every adapter offers. */
export const COLOUR_FORMATS: GPUTextureFormat[] = ['rgba16float', 'rgba16float', 'rgba32float'];
const BYTES = [8, 8, 16];
/** Reversed: 1 is near, 0 far. */
export const DEPTH_FORMAT: GPUTextureFormat = 'depth32float';

/** Textures of one tile size with the buffers that they are read through. */
export class RasterTarget {
  readonly width: number;
  readonly height: number;
  readonly pass: GPURenderPassDescriptor;
  readonly #textures: GPUTexture[];
  readonly #depth: GPUTexture;
  readonly #copies: GPUBuffer[];
  readonly #rowBytes: number[];

  constructor(device: GPUDevice, width: number, height: number) {
    this.width = width;
    this.height = height;
    const texture = (format: GPUTextureFormat): GPUTexture =>
      device.createTexture({
        size: [width, height],
        format,
        usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
      });
    this.#textures = COLOUR_FORMATS.map(texture);
    this.#depth = texture(DEPTH_FORMAT);
    this.#rowBytes = BYTES.map((bytes) => Math.ceil((width * bytes) / 256) * 256);
    this.#copies = this.#rowBytes.map((bytes) =>
      device.createBuffer({ size: bytes * height, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    );
    this.pass = {
      colorAttachments: this.#textures.map((colour) => ({
        view: colour.createView(),
        loadOp: 'clear',
        storeOp: 'store',
        clearValue: [0, 0, 0, 0],
      })),
      depthStencilAttachment: {
        view: this.#depth.createView(),
        depthLoadOp: 'clear',
        depthStoreOp: 'store',
        depthClearValue: 0,
      },
    };
  }

  copyOut(encoder: GPUCommandEncoder): void {
    this.#textures.forEach((texture, index) => {
      encoder.copyTextureToBuffer(
        { texture },
        { buffer: this.#copies[index]!, bytesPerRow: this.#rowBytes[index]!, rowsPerImage: this.height },
        [this.width, this.height],
      );
    });
  }

  /** Waits for the picture and puts the tile at its place in `pixels`. */
  async read(tile: { x0: number; y0: number }, pixels: TracedPixels): Promise<void> {
    await Promise.all(this.#copies.map((copy) => copy.mapAsync(GPUMapMode.READ)));
    const beauty = new Uint16Array(this.#copies[0]!.getMappedRange());
    const albedo = new Uint16Array(this.#copies[1]!.getMappedRange());
    const places = new Float32Array(this.#copies[2]!.getMappedRange());
    const { rect } = pixels;
    const wide = rect.x1 - rect.x0;
    const [halfRow, floatRow] = [this.#rowBytes[0]! / 2, this.#rowBytes[2]! / 4];
    for (let y = 0; y < this.height && tile.y0 + y < rect.y1; y++) {
      for (let x = 0; x < this.width && tile.x0 + x < rect.x1; x++) {
        const to = (tile.y0 + y - rect.y0) * wide + tile.x0 + x - rect.x0;
        const half = y * halfRow + 4 * x;
        const from = y * floatRow + 4 * x;
        for (let k = 0; k < 4; k++) pixels.beauty[4 * to + k] = HALF[beauty[half + k]!]!;
        const depth = places[from + 3]!;
        if (depth < 0) continue;
        pixels.depth[to] = depth;
        for (let k = 0; k < 3; k++) {
          pixels.albedo[3 * to + k] = HALF[albedo[half + k]!]!;
          pixels.normal[3 * to + k] = places[from + k]!;
        }
      }
    }
    for (const copy of this.#copies) copy.unmap();
  }

  destroy(): void {
    for (const texture of [...this.#textures, this.#depth]) texture.destroy();
    for (const copy of this.#copies) copy.destroy();
  }
}

/** Values of all half floats. */
const HALF = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
});
