/**
 * The first part of frames that are on their way into a store or being judged: it crosses where a site's link would idle meanwhile, and the
 * rest follows when the frame is committed. A quarter may cross before its frame is in the store, a second one from then on. Of what
 * is not committed nothing gets a name, and nothing stays.
 */
import { open as openFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../../ports/host/makeFolder.ts';
import { BlockWriter } from '../../../ports/http/blockWriter.ts';
import { getFile } from '../../../ports/http/getFile.ts';
import { byteRange } from '../../../ports/http/range.ts';
import type { FrameHead, JudgedFrame } from '../types.ts';
import type { AddressBook } from './addressBook.ts';
import { STALL_MS } from './download.ts';
import type { PartFiles } from './partFiles.ts';
import type { SiteStreams } from './siteStreams.ts';

export interface HeadsOptions {
  parts: PartFiles;
  addresses: AddressBook<JudgedFrame>;
  streams: SiteStreams;
  signal: AbortSignal;
}

interface UnderWay {
  /** Resolves with the part file that was written to. Never rejects. */
  part: Promise<string | null>;
  /** The frame's fate is known: no more of it begins here. */
  isOver: boolean;
  /** Resolves then. */
  over: Promise<null>;
  end(): void;
}

export class Heads {
  readonly #options: HeadsOptions;
  /** By unit. */
  readonly #heads = new Map<string, UnderWay>();
  /** Where a node's frames lie, as far as was heard. */
  readonly #siteOfNode = new Map<string, string | null>();

  constructor(options: HeadsOptions) {
    this.#options = options;
  }

  /** A frame lies in its site's store. Brings of it what may cross if nothing else of that site is on its way. */
  judged(unitId: string, node: string): void {
    const begun = this.#heads.get(unitId);
    const site = this.#siteOfNode.get(node);
    if (!begun && site !== undefined && this.#options.streams.isBusy(site)) return;
    const found = this.#options.addresses.of(unitId).then((head) => {
      if (head) this.#siteOfNode.set(node, head.siteId);
      return head;
    });
    if (begun) this.#goOn(begun, found);
    else this.#begin(unitId, (underWay) => found.then((head) => head && this.#bring(head, underWay)));
  }

  /** A frame is on its way into its site's store, and its head lies there. Brings it if nothing else of that site is on its way. */
  begun(head: FrameHead): void {
    if (this.#heads.has(head.unitId) || this.#options.streams.isBusy(head.siteId)) return;
    this.#begin(head.unitId, (underWay) => this.#bring(head, underWay));
  }

  /** The frame is committed: resolves when what began of it is here or given up, with the part file that is now the caller's. */
  async settled(unitId: string): Promise<string | null> {
    return this.#end(unitId);
  }

  /** Removes what a head left of another frame than was committed: a node that lost its lease had begun it. */
  async keepOnly(committed: Pick<FrameHead, 'name' | 'hash'>, part: string): Promise<void> {
    if (this.#options.parts.pathsOf(committed).part !== part) await rm(part, { force: true }).catch(() => undefined);
  }

  /** The frame was not accepted. */
  async refused(unitId: string): Promise<void> {
    const part = await this.#end(unitId);
    // A file that stays is in nobody's way.
    if (part) await rm(part, { force: true }).catch(() => undefined);
  }

  /** Removes what came of frames that were never committed. */
  async clear(): Promise<void> {
    await Promise.all([...this.#heads.keys()].map((unitId) => this.refused(unitId)));
  }

  #begin(unitId: string, bring: (underWay: UnderWay) => Promise<string | null>): void {
    const underWay = createUnderWay();
    this.#heads.set(unitId, underWay);
    // A head that does not come is no loss: the frame comes as a whole.
    underWay.part = bring(underWay).catch(() => null);
  }

  async #end(unitId: string): Promise<string | null> {
    const underWay = this.#heads.get(unitId);
    if (!underWay) return null;
    this.#heads.delete(unitId);
    underWay.end();
    return underWay.part;
  }

  /** Has the second quarter follow the first one, unless the frame in the store is another node's. */
  #goOn(underWay: UnderWay, found: Promise<JudgedFrame | null>): void {
    const first = underWay.part;
    const { parts, streams } = this.#options;
    const next = Promise.race([found.catch(() => null), underWay.over]);
    underWay.part = Promise.all([first, next]).then(async ([part, head]) => {
      if (part === null || head === null || parts.pathsOf(head).part !== part) return part;
      if (underWay.isOver) return part;
      await streams.run(head.siteId, () => this.#write(part, 'a', [second(head)], underWay)).catch(() => undefined);
      return part;
    });
  }

  async #bring(head: FrameHead | JudgedFrame, underWay: UnderWay): Promise<string | null> {
    const { streams, parts } = this.#options;
    if (underWay.isOver || streams.isBusy(head.siteId)) return null;
    const { target, part } = parts.pathsOf(head);
    // From here on the site is busy: no other head of it begins.
    return streams.run(head.siteId, async () => {
      await makeFolder(dirname(target));
      const first = { url: head.url, from: 0, bytes: head.headBytes };
      // What an earlier pull left is gone on with when the frame is committed.
      await parts.adopt(head);
      await this.#write(part, 'wx', 'nextUrl' in head ? [first, second(head)] : [first], underWay);
      return part;
    });
  }

  /** Appends ranges to a part file, as far as they come and are what follows there. Throws only if the file cannot be opened. */
  async #write(part: string, flags: 'wx' | 'a', ranges: readonly Range[], underWay: UnderWay): Promise<void> {
    const file = await openFile(part, flags);
    try {
      for (const range of ranges) {
        if (underWay.isOver && range.from > 0) return;
        const { size } = await file.stat();
        if (size === range.from) await this.#receive(range, new BlockWriter(file));
      }
    } catch {
      // What came before a break is gone on with when the frame is committed.
    } finally {
      await file.close();
    }
  }

  async #receive({ url, from, bytes }: Range, disk: BlockWriter): Promise<void> {
    const headers = { range: byteRange(from, bytes) };
    const answer = await getFile(url, { headers, signal: this.#options.signal, silenceMs: STALL_MS });
    if (answer.status !== 206) {
      answer.destroy();
      return;
    }
    try {
      await answer.read((piece) => disk.write(piece));
    } finally {
      await disk.flush();
    }
  }
}

function createUnderWay(): UnderWay {
  let end: () => void = () => undefined;
  const over = new Promise<null>((resolve) => {
    end = () => resolve(null);
  });
  const underWay: UnderWay = {
    ...{ part: Promise.resolve(null), isOver: false, over },
    end() {
      underWay.isOver = true;
      end();
    },
  };
  return underWay;
}

interface Range {
  url: string;
  from: number;
  bytes: number;
}

const second = ({ nextUrl, headBytes }: JudgedFrame): Range => ({ url: nextUrl, from: headBytes, bytes: headBytes });
