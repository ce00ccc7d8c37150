/** Memory of the tracer: one growable shared linear memory and a first-fit allocator for it, kept on the host's side. */
import { FarmError } from '../../../domain/errors.ts';

const PAGE = 65_536;
const ALIGNMENT = 64;
/** Below lies what the compiler puts there (constants). */
const HEAP_START = 65_536;

interface Block {
  start: number;
  end: number;
}

/** Allocates byte ranges of a shared `WebAssembly.Memory`. Addresses are below 4 GiB and multiples of 64. */
export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly #maximumBytes: number;
  /** Free ranges, ascending, never adjacent. */
  readonly #free: Block[];
  readonly #sizes = new Map<number, number>();
  /** Pages that somebody was given to write since they were last taken. */
  readonly #written = new Set<number>();

  /** `maximumBytes` limits the scene; at most 4 GiB, what 32-bit addresses reach. */
  constructor(maximumBytes: number = 65_536 * PAGE) {
    this.#maximumBytes = maximumBytes;
    this.memory = new WebAssembly.Memory({ initial: 32, maximum: 65_536, shared: true });
    this.#free = [{ start: HEAP_START, end: 32 * PAGE }];
  }

  /** Address of `bytes` free bytes (contents undefined). Throws `SceneTooLarge` when the memory cannot grow that far. */
  allocate(bytes: number): number {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    let index = this.#free.findIndex((block) => block.end - block.start >= size);
    if (index < 0) index = this.#grow(size);
    const block = this.#free[index]!;
    const address = block.start;
    block.start += size;
    if (block.start === block.end) this.#free.splice(index, 1);
    this.#sizes.set(address, size);
    this.#touch(address, size);
    return address;
  }

  /**
   * Byte ranges that may have changed since the last call: what was allocated, and what the accessors below gave out. Threads
   * write only into what was allocated for them, or is named to them in the same call.
   */
  takeWritten(): { start: number; end: number }[] {
    const ranges: Block[] = [];
    for (const page of [...this.#written].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last?.end === page * PAGE) last.end += PAGE;
      else ranges.push({ start: page * PAGE, end: (page + 1) * PAGE });
    }
    this.#written.clear();
    return ranges;
  }

  #touch(address: number, bytes: number): void {
    for (let page = Math.floor(address / PAGE); page * PAGE < address + bytes; page++) this.#written.add(page);
  }

  /** Allocates and copies; `padding` extra bytes may be read (never used) by vector loads behind the end. */
  store(values: Float32Array | Uint32Array | Uint16Array | Uint8Array, padding = 16): number {
    const address = this.allocate(values.byteLength + padding);
    this.bytes(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return address;
  }

  /** Gives back everything behind the first `bytes` of an allocation. */
  shrink(address: number, bytes: number): void {
    const size = this.#sizes.get(address);
    const kept = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    if (size === undefined || kept >= size) return;
    this.#sizes.set(address, kept);
    this.#release(address + kept, address + size);
  }

  /** Gives an allocation back; address 0 is ignored. */
  free(address: number): void {
    if (address === 0) return;
    const size = this.#sizes.get(address);
    if (size === undefined) throw new FarmError('Internal', `The tracer freed ${address}, which is not allocated.`);
    this.#sizes.delete(address);
    this.#release(address, address + size);
  }

  /** Bytes in use. */
  get usedBytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  bytes(address: number, length: number): Uint8Array {
    this.#touch(address, length);
    return new Uint8Array(this.memory.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    this.#touch(address, length * 4);
    return new Float32Array(this.memory.buffer, address, length);
  }

  words(address: number, length: number): Int32Array {
    this.#touch(address, length * 4);
    return new Int32Array(this.memory.buffer, address, length);
  }

  view(address: number, length: number): DataView {
    this.#touch(address, length);
    return new DataView(this.memory.buffer, address, length);
  }

  #grow(size: number): number {
    const end = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const available = last?.end === end ? end - last.start : 0;
    const step = Math.max(size - available, 4 * 1024 * 1024);
    const pages = Math.min(Math.ceil(step / PAGE), Math.floor((this.#maximumBytes - end) / PAGE));
    const refused = (cause?: unknown): FarmError =>
      new FarmError(
        'SceneTooLarge',
        `The scene needs more than the ${Math.floor(this.#maximumBytes / 2 ** 20)} MiB that the CPU tracer may use.`,
        { usedBytes: this.usedBytes, wantedBytes: size },
        { cause },
      );
    if (pages * PAGE + available < size) throw refused();
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw refused(cause);
    }
    this.#release(end, end + pages * PAGE);
    return this.#free.length - 1;
  }

  #release(start: number, end: number): void {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#free[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    if (before?.end === start && after?.start === end) {
      before.end = after.end;
      this.#free.splice(low, 1);
    } else if (before?.end === start) {
      before.end = end;
    } else if (after?.start === end) {
      after.start = start;
    } else {
      this.#free.splice(low, 0, { start, end });
    }
  }
}
