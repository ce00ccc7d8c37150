/**
 * Locks between the processes of one host that share a folder. A lock is a file whose name says who holds it, so that the
 * lock of a process that was killed is known for dead and taken over at once; nothing has to expire.
 *
 * Whoever wants a lock first shows his own file and then looks for others': of two, at most one sees none, so two never hold.
 *
 * All files of a process are names of one: a file system takes long to make a file soon after others were removed (ext4 looks
 * for a place that was not given up just now), a name is made at once.
 */
import { randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import { link, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, PROCESS_NAME } from './processName.ts';

/** Who dies does not say so: looked for after this time, milliseconds. What is released is heard of at once. */
const LOOK_AGAIN_MS = 200;
/** Two that stood in each other's way come back at different times, milliseconds. */
const SCATTER_MS = 5;

/** Names this process among those of the host, for files that shall not outlive it. */
export const ownName = (): string => `${PROCESS_NAME}.${randomUUID()}`;

/**
 * Takes the lock if nobody has it.
 * @param folder absolute, exists; holds locks and nothing else
 * @param key file name without `~`
 * @returns what gives it back; null: somebody else has it, or wants it as much
 */
export async function tryLock(folder: string, key: string): Promise<(() => Promise<void>) | null> {
  if (await isLocked(folder, key)) return null;
  const own = `${key}~${ownName()}`;
  await show(folder, own);
  const release = (): Promise<void> => remove(join(folder, own));
  if (!(await isLocked(folder, key, own))) return release;
  await release();
  return null;
}

/** The file of this process in each folder whose locks it took. */
const templates = new Map<string, Promise<string>>();

/** Makes a lock's file. */
async function show(folder: string, own: string): Promise<void> {
  try {
    await link(await templateIn(folder), join(folder, own));
  } catch (error) {
    // Somebody emptied the folder. Else the file has all the names that it can have, or files have but one here.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') templates.delete(folder);
    await writeFile(join(folder, own), '', { flag: 'wx' });
  }
}

/** Its name is that of a lock with an empty key, so that it goes with the dead. */
function templateIn(folder: string): Promise<string> {
  let template = templates.get(folder);
  if (!template) {
    template = isLocked(folder, '').then(async () => {
      const path = join(folder, `~${ownName()}`);
      await writeFile(path, '', { flag: 'wx' });
      return path;
    });
    templates.set(folder, template);
  }
  return template;
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Whether anybody but `own` holds the lock or wants it; what the dead left is removed. */
async function isLocked(folder: string, key: string, own?: string): Promise<boolean> {
  let others = 0;
  for (const name of await readdir(folder)) {
    if (name === own || !name.startsWith(`${key}~`)) continue;
    if (isAlive(name.slice(key.length + 1))) others++;
    else await remove(join(folder, name));
  }
  return others > 0;
}

/** Keys of the locks that are held or asked for. */
export async function lockedKeys(folder: string): Promise<Set<string>> {
  const names = (await readdir(folder)).map((name) => name.split('~') as [string, string]);
  return new Set(names.filter(([, owner]) => isAlive(owner)).map(([key]) => key));
}

/** Ids of the processes that hold the lock or ask for it. */
export async function holdersOf(folder: string, key: string): Promise<number[]> {
  const owners = (await readdir(folder)).filter((name) => name.startsWith(`${key}~`));
  const living = owners.map((name) => name.slice(key.length + 1)).filter(isAlive);
  return living.map((name) => Number.parseInt(name, 10));
}

/** Resolves when it is worth another try, or when the signal ends. */
export async function lockFreed(folder: string, key: string, signal?: AbortSignal): Promise<void> {
  let end: () => void = () => undefined;
  const freed = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = setTimeout(end, LOOK_AGAIN_MS);
  signal?.addEventListener('abort', end);
  const watcher = watch(folder, (_, name) => {
    if (name === null || name.startsWith(`${key}~`)) end();
  });
  watcher.on('error', end);
  try {
    if (await isLocked(folder, key)) await freed;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
    watcher.close();
  }
  await sleep(Math.random() * SCATTER_MS);
}

/** Runs the task with the lock, waiting for it. */
export async function withLock<T>(folder: string, key: string, task: () => Promise<T>): Promise<T> {
  for (;;) {
    const release = await tryLock(folder, key);
    if (release) {
      try {
        return await task();
      } finally {
        await release();
      }
    }
    await lockFreed(folder, key);
  }
}
