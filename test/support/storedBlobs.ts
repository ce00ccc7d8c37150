/** Blobs as they lie in the folder of a test farm's own store (MinIO), to lose or to spoil them. */
import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of the object with these bytes. @param home of the farm */
export async function storedBlob(home: string, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const all = await readdir(join(home, 'store'), { recursive: true });
  return join(home, 'store', all.find((path) => path.endsWith(`blobs/${hash}`))!);
}

/** Some of its bytes become others, so that the store cannot read it any more. */
export async function spoilBlob(home: string, bytes: Uint8Array): Promise<void> {
  const object = await storedBlob(home, bytes);
  const part = (await readdir(object, { recursive: true })).find((name) => name.endsWith('part.1'));
  const file = await open(join(object, part ?? 'xl.meta'), 'r+');
  const { size } = await file.stat();
  await file.write(Buffer.alloc(8, 0xa5), 0, 8, size - 60);
  await file.close();
}
