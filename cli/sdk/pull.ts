/**
 * Delivery to a folder or to the studio's bucket: frames arrive while others still render, over all sites at once, are hashed
 * while they are written, and appear under their names only when whole. An interrupted pull goes on where it stopped. What has arrived is
 * acknowledged to the farm.
 */
import { setMaxListeners } from 'node:events';
import type { FarmClient } from './client.ts';
import { Acknowledgements } from './delivery/acknowledge.ts';
import { AddressBook } from './delivery/addressBook.ts';
import type { OpenBucket } from './delivery/bucketAddress.ts';
import { uploadToBucket } from './delivery/bucketUpload.ts';
import { type FrameNews, followCommitted, isOver } from './delivery/committedFrames.ts';
import { endsPull, nearest, requireWritable } from './delivery/diskErrors.ts';
import { download } from './delivery/download.ts';
import { Heads } from './delivery/heads.ts';
import { NewNames } from './delivery/newNames.ts';
import { PartFiles } from './delivery/partFiles.ts';
import type { Source } from './delivery/receive.ts';
import { SiteStreams } from './delivery/siteStreams.ts';
import { lockTarget } from './delivery/targetLock.ts';
import { usableTransit } from './delivery/transit.ts';
import type { DownloadUrl, FrameAddresses, FrameHead, JudgedFrame } from './types.ts';

/** Where frames go: an absolute folder, or the studio's bucket. */
export type PullTarget = { folder: string; bucket?: undefined } | { bucket: OpenBucket; folder?: undefined };

export type PullOptions = PullTarget & PullConduct;

interface PullConduct {
  /** Stay until the job is settled or ends, and take frames as they are committed. */
  wait?: boolean;
  /** Also the tone-mapped previews (PNG). Pictures in another format that the job chose always come along. */
  previews?: boolean;
  /**
   * Lossless compression on the way, same bytes on disk: `auto` where a site offers it and as far as it helps, `on` also
   * for links that are faster than the compression, `off` (default) never.
   */
  transit?: 'auto' | 'on' | 'off';
  /** Told what is other than was asked for, in a sentence. */
  onNote?: (note: string) => void;
  signal?: AbortSignal;
  onFile?: (name: string, file: { sizeBytes: number; skipped: boolean }) => void;
}

export interface PullResult {
  frames: number;
  /** Frames of the job that were not there yet; 0 once none follow. */
  toCome: number;
  downloaded: number;
  /** Of the files that were downloaded. */
  bytes: number;
  /** Names relative to the folder or the bucket's prefix. */
  exr: string[];
  film: string | null;
  contactSheet: string | null;
  manifest: string | null;
}

/**
 * Pulls everything of a job that is there (with `wait`: that will be there), over all sites at once.
 * @throws FarmApiError of the API; `TargetBusy` where another process pulls the same job to the same place; `DiskFull` or
 * `NotWritable` at once; `HashMismatch` or `StoreFailed` with file and offset, when
 * everything else is there; what the farm says when it cannot be told what arrived; the signal's reason
 */
export async function pullJob(client: FarmClient, id: string, options: PullOptions): Promise<PullResult> {
  const { transit, note } = usableTransit(options.transit ?? 'off');
  if (note) options.onNote?.(note);
  const { folder, wait = false } = options;
  // What cannot be taken need not be waited for.
  // A folder that is to be made must be possible at once, too.
  if (folder !== undefined && (wait || (await nearest(folder).catch(() => null)) !== folder))
    await requireWritable(folder);
  const release = await lockTarget(options, id);
  try {
    const pull = new Pull(client, id, { ...options, transit });
    try {
      await followCommitted(client, id, { wait, signal: pull.signal }, pull);
      return await pull.finish();
    } catch (error) {
      await pull.abort(error);
      throw error;
    } finally {
      pull.close();
    }
  } finally {
    await release();
  }
}

/** A pull under way. */
class Pull implements FrameNews {
  readonly #client: FarmClient;
  readonly #jobId: string;
  readonly #options: PullOptions;
  readonly #addresses: AddressBook<FrameAddresses>;
  /** Of a pull to a folder. */
  readonly #parts: PartFiles | null;
  /** Of a pull to a folder; where all is to be compressed, its bytes are not the file's. */
  readonly #heads: Heads | null;
  readonly #acknowledged: Acknowledgements;
  readonly #names = new NewNames();
  readonly #streams = new SiteStreams();
  readonly #stop = new AbortController();
  readonly #files: Promise<void>[] = [];
  /** What failed while others went on. */
  #failed: { work: () => Promise<void>; error: unknown }[] = [];
  readonly #exr: string[] = [];
  #downloaded = 0;
  #bytes = 0;

  constructor(client: FarmClient, jobId: string, options: PullOptions) {
    this.#client = client;
    this.#jobId = jobId;
    this.#options = options;
    this.#addresses = new AddressBook((unitIds) => client.frameAddresses(jobId, unitIds));
    this.#acknowledged = new Acknowledgements(client, jobId, () => this.#names.sync());
    const { signal } = options;
    // Every stream of the pull listens; Node would take more than ten for a leak and say so on the terminal.
    setMaxListeners(0, this.#stop.signal);
    signal?.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
    if (signal?.aborted) this.#stop.abort(signal.reason);
    const { folder, transit = 'off' } = options;
    const addresses = new AddressBook<JudgedFrame>((unitIds) => client.frameHeads(jobId, unitIds));
    const heads = { addresses, streams: this.#streams, signal: this.#stop.signal };
    this.#parts = folder === undefined ? null : new PartFiles(folder);
    this.#heads = this.#parts && transit !== 'on' ? new Heads({ parts: this.#parts, ...heads }) : null;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  committed(unitId: string): void {
    this.#start(() => this.#frame(unitId));
  }

  judged(unitId: string, node: string): void {
    this.#heads?.judged(unitId, node);
  }

  begun(head: FrameHead): void {
    this.#heads?.begun(head);
  }

  refused(unitId: string): void {
    void this.#heads?.refused(unitId);
  }

  /** Waits for all frames, tries once more what failed, and gets the outputs. */
  async finish(): Promise<PullResult> {
    for (const kind of ['film', 'contactSheet', 'manifest'] as const) {
      const ask = async () => (await this.#client.outputs(this.#jobId))[kind];
      this.#start(async () => {
        const file = await ask();
        if (file) await this.#file(null, file, ask);
      });
    }
    await Promise.all(this.#files);
    for (const { work } of this.#failed.splice(0)) this.#start(work);
    await Promise.all(this.#files);
    await this.#heads?.clear();
    this.signal.throwIfAborted();
    const [failure] = this.#failed;
    // Also of a pull that lacks a file: what is there is there.
    await this.#acknowledged.flush().catch((error: unknown) => {
      if (!failure) throw error;
    });
    if (failure) throw failure.error;
    const [outputs, job] = await Promise.all([this.#client.outputs(this.#jobId), this.#client.job(this.#jobId)]);
    return {
      frames: this.#exr.length,
      toCome: isOver(job) ? 0 : Math.max(0, job.frames.total - this.#exr.length),
      downloaded: this.#downloaded,
      bytes: this.#bytes,
      exr: this.#exr.sort(),
      film: outputs.film?.name ?? null,
      contactSheet: outputs.contactSheet?.name ?? null,
      manifest: outputs.manifest?.name ?? null,
    };
  }

  /** Ends what is under way, and returns when nothing writes any more. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    await Promise.all(this.#files);
    await this.#heads?.clear();
  }

  /** Nothing is under way any more. */
  close(): void {
    this.#parts?.close();
  }

  #start(work: () => Promise<void>): void {
    const done = work().catch((error: unknown) => {
      this.#failed.push({ work, error });
      if (endsPull(error)) this.#stop.abort(error);
    });
    this.#files.push(done);
  }

  async #frame(unitId: string): Promise<void> {
    const [found, headFile] = await Promise.all([this.#addresses.of(unitId), this.#heads?.settled(unitId)]);
    if (!found) return;
    if (found.exr && headFile) await this.#heads?.keepOnly(found.exr, headFile);
    const kinds = this.#options.previews ? (['exr', 'picture', 'preview'] as const) : (['exr', 'picture'] as const);
    await Promise.all(
      kinds.map(async (kind) => {
        const file = found[kind];
        if (!file) return;
        await this.#file(found.siteId, file, async () => (await this.#addresses.of(unitId))?.[kind]);
      }),
    );
    if (!found.exr) return;
    this.#exr.push(found.exr.name);
    this.#acknowledged.add(unitId, found.exr.hash);
  }

  async #file(
    siteId: string | null,
    file: AddressedFile,
    askAgain: () => Promise<AddressedFile | null | undefined>,
  ): Promise<void> {
    const { name, hash, sizeBytes } = file;
    const { onFile, transit = 'off' } = this.#options;
    const sources = sourcesOf(file, transit);
    const sourcesAgain = async () => sourcesOf(await askAgain(), transit);
    const remote = { name, hash, sizeBytes, sources };
    const conduct = { signal: this.signal, sourcesAgain };
    const { skipped } = await this.#streams.run(siteId, (free) => {
      if (this.#options.bucket) return uploadToBucket(this.#options.bucket, remote, conduct);
      return download(remote, { parts: this.#parts!, ...conduct, onWhole: free });
    });
    this.#downloaded += skipped ? 0 : 1;
    this.#bytes += skipped ? 0 : sizeBytes;
    if (this.#options.folder !== undefined) this.#names.add(this.#options.folder, name);
    onFile?.(name, { sizeBytes, skipped });
  }
}

type AddressedFile = DownloadUrl & { mirrors?: string[]; transit?: string | null };

/** By the site's agent, then its store, then further copies. */
function sourcesOf(file: AddressedFile | null | undefined, transit: 'auto' | 'on' | 'off'): Source[] {
  if (!file) return [];
  const stores = [file.url, ...(file.mirrors ?? [])].map((url) => ({ url }));
  return transit !== 'off' && file.transit ? [{ url: file.transit, transit }, ...stores] : stores;
}
