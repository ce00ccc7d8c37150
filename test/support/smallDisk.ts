/** Disks that a test can fill: file systems in memory. Only root can mount them; others skip and count what needs them. */
import { execFileSync } from 'node:child_process';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const MAY_MOUNT = process.platform === 'linux' && process.getuid?.() === 0;

export interface SmallDisk {
  folder: string;
  /** Also while files lie on it. */
  resize(megabytes: number): void;
  /** Takes what is free but for so many bytes, with one file; answers its path. */
  fill(leaveBytes: number): Promise<string>;
  unmount(): void;
}

/** @param folder absolute, exists */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  return {
    folder,
    resize: (size) => void execFileSync('mount', ['-o', `remount,size=${size}m`, folder]),
    async fill(leaveBytes) {
      const { bavail, bsize } = await statfs(folder);
      const path = join(folder, 'filler');
      await writeFile(path, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes), 1));
      return path;
    },
    unmount: () => void execFileSync('umount', [folder]),
  };
}
