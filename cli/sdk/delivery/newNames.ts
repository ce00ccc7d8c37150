/** Names that files got: a file's bytes are on the disk before its name is, and what is acknowledged may go at its site. */
import { open } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

export class NewNames {
  /** Folders with names that may not be on the disk. */
  #folders = new Set<string>();

  /** @param name of a file below the folder, whose own folders may be new as well */
  add(folder: string, name: string): void {
    let inner = dirname(join(folder, name));
    this.#folders.add(folder);
    while (relative(folder, inner) !== '') {
      this.#folders.add(inner);
      inner = dirname(inner);
    }
  }

  /** Resolves when all names are on the disk, where the system and the file system can do that. */
  async sync(): Promise<void> {
    const folders = [...this.#folders];
    this.#folders.clear();
    await Promise.all(folders.map((folder) => syncFolder(folder).catch(() => undefined)));
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
