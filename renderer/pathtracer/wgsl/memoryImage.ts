/** The CPU tier's linear memory on the GPU: the same bytes at the same addresses. */
/// <reference types="@webgpu/types" />
import { FarmError } from '../../../domain/errors.ts';
import { type OpenGpu, refuseBeyond } from '../../gpu/device.ts';
import type { Heap } from '../wasm/heap.ts';

/** Bytes that are handed to the driver at a time. */
const PIECE = 16 * 1024 * 1024;

export class MemoryImage {
  readonly #gpu: OpenGpu;
  readonly #heap: Heap;
  #buffer: GPUBuffer | null = null;

  constructor(gpu: OpenGpu, heap: Heap) {
    this.#gpu = gpu;
    this.#heap = heap;
  }

  /** The buffer that holds the image; there is one after `upload`. */
  get buffer(): GPUBuffer {
    if (!this.#buffer) throw new FarmError('Internal', 'The scene was not brought to the GPU.');
    return this.#buffer;
  }

  /** Throws `SceneTooLarge`, naming the limit, when the memory does not fit into one binding. */
  check(): void {
    const names = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const;
    refuseBeyond(this.#gpu.limits, names, 'The scene', this.#heap.memory.buffer.byteLength);
  }

  /** Copies what the host wrote since the last time; everything when the memory grew. Throws what `check` throws. */
  async upload(): Promise<void> {
    this.check();
    const { memory } = this.#heap;
    const bytes = memory.buffer.byteLength;
    let ranges = this.#heap.takeWritten();
    if (!this.#buffer || this.#buffer.size < bytes) {
      this.#buffer?.destroy();
      this.#buffer = null;
      this.#buffer = await this.#gpu.scoped('the scene', () =>
        this.#gpu.device.createBuffer({
          label: 'memory image',
          size: bytes,
          usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
        }),
      );
      ranges = [{ start: 0, end: bytes }];
    }
    const { buffer } = this;
    await this.#gpu.scoped('the scene', async () => {
      for (const { start, end } of ranges) {
        for (let at = start; at < end; at += PIECE) {
          const length = Math.min(PIECE, end - at);
          // A copy: the driver takes no shared memory.
          this.#gpu.device.queue.writeBuffer(buffer, at, new Uint8Array(memory.buffer, at, length).slice());
          // Waited for, so that no more than one piece is held twice.
          await this.#gpu.device.queue.onSubmittedWorkDone();
        }
      }
    });
  }

  free(): void {
    this.#buffer?.destroy();
    this.#buffer = null;
  }
}
