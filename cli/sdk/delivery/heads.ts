/**
 * The first part of frames that are on their way into a store or being judged: it crosses where a site's link would idle meanwhile, and the
 * rest follows when the frame is committed. Of what is not committed nothing gets a name, and nothing stays.
 */
import { mkdir, open as openFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BlockWriter } from '../../../ports/http/blockWriter.ts';
import { getFile } from '../../../ports/http/getFile.ts';
import { headRange } from '../../../ports/http/range.ts';
import type { FrameHead } from '../types.ts';
import type { AddressBook } from './addressBook.ts';
import { pathsOf, STALL_MS } from './download.ts';
import type { SiteStreams } from './siteStreams.ts';

export interface HeadsOptions {
  /** Absolute folder. */
  folder: string;
  addresses: AddressBook<FrameHead>;
  streams: SiteStreams;
  signal: AbortSignal;
}

export class Heads {
  readonly #options: HeadsOptions;
  /** By unit: what is under way; resolves with the part file that a head was written to. Never rejects. */
  readonly #heads = new Map<string, Promise<string | null>>();
  /** Where a node's frames lie, as far as was heard. */
  readonly #siteOfNode = new Map<string, string | null>();

  constructor(options: HeadsOptions) {
    this.#options = options;
  }

  /** A frame lies in its site's store. Brings its head if nothing else of that site is on its way. */
  judged(unitId: string, node: string): void {
    const site = this.#siteOfNode.get(node);
    if (this.#heads.has(unitId) || (site !== undefined && this.#options.streams.isBusy(site))) return;
    const head = this.#options.addresses.of(unitId);
    this.#begin(
      unitId,
      head.then((found) => {
        if (found) this.#siteOfNode.set(node, found.siteId);
        return found && this.#bring(found);
      }),
    );
  }

  /** A frame is on its way into its site's store, and its head lies there. Brings it if nothing else of that site is on its way. */
  begun(head: FrameHead): void {
    if (this.#heads.has(head.unitId) || this.#options.streams.isBusy(head.siteId)) return;
    this.#begin(head.unitId, this.#bring(head));
  }

  /** The frame is committed: resolves when its head is here or given up, with the part file that is now the caller's. */
  async settled(unitId: string): Promise<string | null> {
    const part = await this.#heads.get(unitId);
    this.#heads.delete(unitId);
    return part ?? null;
  }

  /** Removes what a head left of another frame than was committed: a node that lost its lease had begun it. */
  async keepOnly(committed: Pick<FrameHead, 'name' | 'hash'>, part: string): Promise<void> {
    if (pathsOf(this.#options.folder, committed).part !== part) await rm(part, { force: true }).catch(() => undefined);
  }

  /** The frame was not accepted. */
  async refused(unitId: string): Promise<void> {
    const head = this.#heads.get(unitId);
    if (!head) return;
    this.#heads.delete(unitId);
    const part = await head;
    // A file that stays is in nobody's way.
    if (part) await rm(part, { force: true }).catch(() => undefined);
  }

  /** Removes what came of frames that were never committed. */
  async clear(): Promise<void> {
    await Promise.all([...this.#heads.keys()].map((unitId) => this.refused(unitId)));
  }

  #begin(unitId: string, head: Promise<string | null>): void {
    // A head that does not come is no loss: the frame comes as a whole.
    this.#heads.set(
      unitId,
      head.catch(() => null),
    );
  }

  async #bring(head: FrameHead): Promise<string | null> {
    const { streams, folder } = this.#options;
    if (streams.isBusy(head.siteId)) return null;
    const { target, part } = pathsOf(folder, head);
    // From here on the site is busy: no other head of it begins.
    return streams.run(head.siteId, async () => {
      await mkdir(dirname(target), { recursive: true });
      // What an earlier pull left is gone on with when the frame is committed.
      const file = await openFile(part, 'wx');
      await this.#receive(head, new BlockWriter(file))
        .catch(() => undefined)
        .finally(() => file.close());
      return part;
    });
  }

  async #receive({ url, headBytes }: FrameHead, disk: BlockWriter): Promise<void> {
    const headers = { range: headRange(headBytes) };
    const answer = await getFile(url, { headers, signal: this.#options.signal, silenceMs: STALL_MS });
    if (answer.status !== 206) {
      answer.destroy();
      return;
    }
    try {
      await answer.read((bytes) => disk.write(bytes));
    } finally {
      // What came before a break is gone on with.
      await disk.flush();
    }
  }
}
