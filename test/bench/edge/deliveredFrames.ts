/** What came to the studio's disk, read and hashed once more by the benchmark itself. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../../ports/store/hashFile.ts';

export class DeliveredFrames {
  readonly #folder: string;
  readonly #areKept: boolean;
  readonly #hashes = new Map<string, Promise<string>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param areKept false: a disk that does not hold them all has each only until it was hashed, while the clock runs */
  constructor(folder: string, areKept: boolean) {
    this.#folder = folder;
    this.#areKept = areKept;
  }

  /** A file is whole and has its name. */
  arrived(name: string): void {
    this.#hashes.set(name, this.#areKept ? Promise.resolve('') : this.#inTurn(name));
  }

  /** SHA-256, hex, by name. @throws Error when a file cannot be read */
  async hashes(): Promise<Map<string, string>> {
    if (this.#areKept) for (const name of this.#hashes.keys()) this.#hashes.set(name, this.#inTurn(name));
    const hashes = new Map<string, string>();
    for (const [name, hash] of this.#hashes) hashes.set(name, await hash);
    return hashes;
  }

  #inTurn(name: string): Promise<string> {
    const path = join(this.#folder, name);
    const hash = this.#last.then(async () => {
      const { hash } = await hashFile(path);
      if (!this.#areKept) await rm(path);
      return hash;
    });
    this.#last = hash.catch(() => undefined);
    // Told by `hashes`.
    hash.catch(() => undefined);
    return hash;
  }
}
