/** A blob on its way: bytes in a file that grows from the front, with the hash of what is there. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, open, rename } from 'node:fs/promises';
import { asDiskFull } from '../../ports/diskFull.ts';
import { BlockWriter } from '../../ports/http/blockWriter.ts';

export class PartFile {
  readonly path: string;
  private readonly handle: FileHandle;
  private readonly writer: BlockWriter;
  private digest = createHash('sha256');
  private length = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
    this.writer = new BlockWriter(handle);
  }

  /** Opens the file, with the bytes that an earlier process left in it. */
  static async open(path: string): Promise<PartFile> {
    const handle = await open(path, 'a', 0o644);
    const part = new PartFile(path, handle);
    const { size } = await handle.stat();
    if (size > 0) for await (const bytes of createReadStream(path)) part.count(bytes as Buffer);
    return part;
  }

  /** Bytes there. */
  get sizeBytes(): number {
    return this.length;
  }

  /** SHA-256 of the bytes there, hex. */
  get hash(): string {
    return this.digest.copy().digest('hex');
  }

  /**
   * Takes the bytes at once; a promise is to be waited for before the next. They are in the file when it is finished or
   * closed, the first of them before.
   * @throws FarmError `DiskFull`
   */
  append(bytes: Uint8Array): Promise<void> | undefined {
    this.count(bytes);
    return this.writer.write(bytes)?.catch((error: unknown) => {
      throw asDiskFull(error, this.path);
    });
  }

  /** Drops all bytes. */
  async clear(): Promise<void> {
    await this.writer.drop();
    await this.handle.truncate(0);
    this.digest = createHash('sha256');
    this.length = 0;
  }

  /** No more bytes follow: the file gets its name, and is not to be changed any more. @throws FarmError `DiskFull` */
  async finish(path: string): Promise<void> {
    await this.flush();
    await this.handle.close();
    await rename(this.path, path);
    await chmod(path, 0o444);
  }

  /** Gives the file up as it is, with what came of it. Closing twice is fine. */
  async close(): Promise<void> {
    // What cannot be written is fetched again.
    await this.flush().catch(() => undefined);
    await this.handle.close();
  }

  /** Resolves when all bytes are in the file. @throws FarmError `DiskFull` */
  async flush(): Promise<void> {
    try {
      await this.writer.flush();
    } catch (error) {
      throw asDiskFull(error, this.path);
    }
  }

  private count(bytes: Uint8Array): void {
    this.digest.update(bytes);
    this.length += bytes.byteLength;
  }
}
