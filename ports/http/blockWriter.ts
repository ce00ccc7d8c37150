/**
 * What arrives in pieces, on its way into a file. A write is a trip to another thread, which takes longer than the few
 * kilobytes that a slow link brings at a time are worth; and the memory of a piece is used again (`getFile`).
 */
import type { FileHandle } from 'node:fs/promises';

/** Pieces are gathered in blocks of this size, two for a file. */
export const BLOCK_BYTES = 512 * 1024;

/** Blocks that nobody fills just now. Memory outside V8's heap that comes and goes would make it collect again and again. */
const spare: Buffer[] = [];
const MOST_SPARE = 16;

const takeBlock = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
const giveBack = (block: Buffer): void => {
  if (spare.length < MOST_SPARE) spare.push(block);
};

/** Writes in blocks, one while the next is gathered, where the file's position stands. */
export class BlockWriter {
  readonly #file: FileHandle;
  #block: Buffer | undefined;
  #filled = 0;
  #full: { block: Buffer; bytes: number }[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Takes a copy of the bytes at once. A promise: to be waited for before the next, as a block before is still being written.
   * @throws what an earlier block failed with
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    for (let at = 0; at < bytes.length; ) {
      this.#block ??= takeBlock();
      const some = bytes.subarray(at, at + BLOCK_BYTES - this.#filled);
      this.#block.set(some, this.#filled);
      this.#filled += some.length;
      at += some.length;
      if (this.#filled === BLOCK_BYTES) this.#turn();
    }
    return this.#full.length > 0 ? this.#writeFull() : undefined;
  }

  /** Resolves when all bytes are with the system, though perhaps not on the disk yet (fsync). @throws as `write` */
  async flush(): Promise<void> {
    this.#turn();
    await this.#writeFull();
    await this.#writing;
  }

  /** Drops what is not written yet; resolves when nothing is being written any more. */
  async drop(): Promise<void> {
    this.#turn();
    for (const { block } of this.#full.splice(0)) giveBack(block);
    await this.#writing.catch(() => undefined);
    this.#writing = Promise.resolve();
  }

  #turn(): void {
    if (this.#block) this.#full.push({ block: this.#block, bytes: this.#filled });
    this.#block = undefined;
    this.#filled = 0;
  }

  /**
   * Writes what is full behind all that was begun before, whether or not that was waited for: blocks never pass each other.
   * @returns when what was begun before is written
   */
  #writeFull(): Promise<void> {
    const before = this.#writing;
    this.#writing = before.then(() => this.#writeAll(this.#full.splice(0)));
    // Whoever writes next hears of it.
    this.#writing.catch(() => undefined);
    return before;
  }

  async #writeAll(full: readonly { block: Buffer; bytes: number }[]): Promise<void> {
    for (const { block, bytes } of full) {
      for (let at = 0; at < bytes; ) at += (await this.#file.write(block, at, bytes - at)).bytesWritten;
      giveBack(block);
    }
  }
}
