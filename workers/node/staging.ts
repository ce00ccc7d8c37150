/**
 * Brings a lease's files to the node in the order in which its frames need them: what the cache lacks is fetched, files are
 * laid out as the project's folder, and each frame is told when its own are there. The first frame has the link to itself, as
 * the engine waits for it; files of later ones follow as soon as the link would idle otherwise.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { FarmError } from '../../domain/errors.ts';
import { checkProjectPath } from '../../domain/paths.ts';
import { partsOf } from '../../domain/projectFiles.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease } from '../../ports/gateway/protocol.ts';
import { isPassing, retrying } from '../../ports/retry.ts';
import type { BlobCache } from './cache.ts';
import { type BadCopy, download, type Source } from './download.ts';
import { createBacklog, createTurns } from './pacing.ts';
import type { PartFile } from './partFile.ts';

/** Blobs on their way at the same time. */
const FETCHES = 4;
/** Looks into the cache at the same time; one may have to read a file. */
const LOOKS = 8;
/** Files that are laid out at the same time. */
const PLACINGS = 16;
/** A third or later frame's blobs begin when no more than this is left of what began before, bytes: enough to keep a link busy. */
const LEFT_BYTES = 512 * 1024;
/** Addresses asked for at once (the protocol's bound is 1000); they live for minutes, so not too many, nor for too many bytes. */
const BATCH = 200;
const BATCH_BYTES = 64 * 1024 * 1024;
/** Bad copies told at once: the protocol's bound. */
const LIES = 100;
/** A blob of which nothing came from any source for so long fails the lease: another node may reach one. Milliseconds. */
const PATIENCE_MS = 120_000;

type LeaseFile = Lease['files'][number];

export interface StagingResult {
  fetchedBytes: number;
  cachedBytes: number;
}

export interface Staging {
  /** Resolves when all that a frame reads is in the folder. @throws what staging failed with */
  ready(frame: number): Promise<void>;
  /** Resolves when everything is. @throws FarmError of cache and gateway; the signal's reason */
  done: Promise<StagingResult>;
  /** Resolves when nothing is under way any more, whatever came of it: after the signal, soon. */
  settled(): Promise<void>;
  /** Blobs that this process has fetched so far. */
  readonly fetched: readonly string[];
}

export interface StagingDeps {
  gateway: GatewayClient;
  cache: BlobCache;
  signal: AbortSignal;
  log: Logger;
  /** Other limits than `PATIENCE_MS`, and than those of `download`. */
  patienceMs?: number;
  stallMs?: number;
  slowMs?: number;
}

/**
 * Starts at once; passing failures are tried again until `signal` ends, or nothing comes for too long.
 * @param folder absolute, empty; becomes the root of the project
 */
export function startStaging(lease: Lease, folder: string, deps: StagingDeps): Staging {
  const { gateway, cache, signal, log, patienceMs = PATIENCE_MS, stallMs, slowMs } = deps;
  const fetched: string[] = [];
  const sizes = new Map(lease.blobs.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const addresses = new Addresses(lease, cache, gateway, signal);
  const looks = createTurns(LOOKS);
  const fetches = createTurns(FETCHES);
  const placings = createTurns(PLACINGS);
  const backlog = createBacklog();
  const result: StagingResult = { fetchedBytes: 0, cachedBytes: 0 };

  const underWay: Promise<unknown>[] = [];
  const blobs = once(underWay, (hash: string): Coming => {
    const missing = looks.run(async () => {
      signal.throwIfAborted();
      const isHere = await cache.has(hash);
      if (isHere) result.cachedBytes += sizeOf(hash);
      else {
        backlog.add(sizeOf(hash));
        addresses.want(hash);
      }
      return !isHere;
    });
    return {
      looked: missing,
      arrived: missing.then((isMissing) => (isMissing ? fetches.run(() => fetchBlob(hash)) : undefined)),
    };
  });
  const files = once(underWay, (file: LeaseFile): Coming => {
    const whole = isAssembled(file) ? looks.run(() => cache.has(file.hash)) : Promise.resolve(false);
    const parts = whole.then((isHere) => {
      if (!isHere) return [...new Set(partsOf(file).map(({ blob }) => blob))].map(blobs);
      result.cachedBytes += file.sizeBytes;
      return [];
    });
    return {
      looked: parts.then((all) => Promise.all(all.map(({ looked }) => looked))),
      arrived: parts
        .then((all) => Promise.all(all.map(({ arrived }) => arrived)))
        .then(() => placings.run(() => place(file))),
    };
  });

  const ready = new Map<number | null, Promise<unknown>>();
  let before: Promise<unknown> = Promise.resolve();
  /** What the engine begins with: the shared files and the first frame's. */
  let first: Promise<unknown> = Promise.resolve();
  for (const [step, { frame, needed }] of stepsOf(lease).entries()) {
    const turn = step < 2 ? before : Promise.all([before, first]).then(() => backlog.below(LEFT_BYTES));
    const begun = turn.then(() => needed.map(files));
    before = begun.then((all) => Promise.all(all.map(({ looked }) => looked)));
    const arrived = begun.then((all) => Promise.all(all.map(({ arrived }) => arrived)));
    ready.set(frame, arrived);
    if (step < 2) first = Promise.all([first, arrived]);
  }
  const done = Promise.all(ready.values()).then(async () => {
    await addresses.tell().catch((error) => log.info({ err: error }, 'the gateway did not hear of a bad copy'));
    return result;
  });
  // Whoever waits hears of a failure; nobody has to wait.
  for (const promise of [before, first, ...ready.values(), done]) promise.catch(() => undefined);
  return {
    async ready(frame) {
      await ready.get(null);
      await ready.get(frame);
    },
    done,
    fetched,
    async settled() {
      await Promise.allSettled([before, ...underWay]);
      await Promise.allSettled(underWay);
    },
  };

  function sizeOf(hash: string): number {
    const sizeBytes = sizes.get(hash);
    if (sizeBytes !== undefined) return sizeBytes;
    throw new FarmError('ServiceFailed', `The lease names a blob ${hash} without its size.`, { hash });
  }

  async function fetchBlob(hash: string): Promise<void> {
    const sizeBytes = sizeOf(hash);
    let arrived = 0;
    let most = 0;
    /** When the last new byte came, or trying began: others may have been waited for before. */
    let cameAt: number | null = null;
    const onBytes = (bytes: number): void => {
      arrived += bytes;
      backlog.add(-bytes);
      if (arrived <= most) return;
      most = arrived;
      cameAt = performance.now();
    };
    const onBad = (copy: BadCopy): void => {
      log.warn(copy, 'a copy holds wrong bytes');
      addresses.bad(copy);
    };
    const fill = async (part: PartFile): Promise<void> => {
      cameAt ??= performance.now();
      onBytes(part.sizeBytes - arrived);
      const sources = await addresses.take(hash);
      await download(part, { hash, sizeBytes }, sources, { gateway, signal, onBytes, onBad, stallMs, slowMs });
    };
    let mismatches = 0;
    const isOurs = await retrying(() => cache.obtain(hash, sizeBytes, fill, signal), {
      signal,
      retryable: (error) =>
        isMismatch(error) ? ++mismatches < 3 : isPassing(error) && performance.now() - (cameAt ?? 0) < patienceMs,
    }).finally(() => {
      // Another process of this host may have brought them, or nobody will: whoever waits for the backlog must not for these.
      backlog.add(arrived - sizeBytes);
    });
    result[isOurs ? 'fetchedBytes' : 'cachedBytes'] += sizeBytes;
    if (isOurs) fetched.push(hash);
  }

  /** Lays a file out whose blobs are all in the cache. */
  async function place(file: LeaseFile): Promise<void> {
    signal.throwIfAborted();
    // The gateway is trusted less than the file system: a name must stay inside the folder.
    const target = join(folder, checkProjectPath(file.path));
    if (!file.parts) return cache.materialise(file.hash, target);
    if (!isAssembled(file)) return cache.writeSlices(file, partsOf(file), target);
    const putTogether = async (part: PartFile): Promise<void> => {
      await part.clear();
      for await (const bytes of cache.slices(partsOf(file))) await part.append(bytes);
    };
    await cache.obtain(file.hash, file.sizeBytes, putTogether, signal);
    await cache.materialise(file.hash, target);
  }
}

/** A file of several parts is kept put together: its lease is seldom the last one that reads it. */
const isAssembled = ({ parts }: LeaseFile): boolean => parts !== undefined && parts.length > 1;

/** What all frames need, then what each needs beside it; at last what no frame names: an estimate has no units. */
function stepsOf({ files, sharedFiles, units }: Lease): { frame: number | null; needed: LeaseFile[] }[] {
  const byFrame = new Map(units.map((unit) => [unit.frame, unit.files.flatMap((position) => files[position] ?? [])]));
  const rest = units.length === 0 ? files.slice(sharedFiles) : [];
  return [
    { frame: null, needed: [...files.slice(0, sharedFiles), ...rest] },
    ...[...byFrame].map(([frame, needed]) => ({ frame, needed })),
  ];
}

/** Something that is looked for and then fetched if it has to be. */
interface Coming {
  /** Resolves when it is known whether it has to be fetched; what has to be counts as backlog from then on. */
  looked: Promise<unknown>;
  arrived: Promise<unknown>;
}

/** Each key's work is done once, however often it is asked for; all of it is noted in `underWay`. */
function once<Key>(underWay: Promise<unknown>[], work: (key: Key) => Coming): (key: Key) => Coming {
  const known = new Map<Key, Coming>();
  return (key) => {
    let coming = known.get(key);
    if (!coming) {
      coming = work(key);
      coming.looked.catch(() => undefined);
      coming.arrived.catch(() => undefined);
      underWay.push(coming.arrived);
      known.set(key, coming);
    }
    return coming;
  };
}

/** Where a lease's blobs can be had, asked for together: one question for a lease of a few files. */
class Addresses {
  private readonly lease: Lease;
  private readonly gateway: GatewayClient;
  private readonly signal: AbortSignal;
  private readonly wanted = new Set<string>();
  private readonly asked = new Map<string, Promise<Source[]>>();
  /** What is likely to be wanted and was not asked for yet, in the order of need. */
  private ahead: Lease['blobs'];
  private lies: BadCopy[] = [];

  constructor(lease: Lease, cache: BlobCache, gateway: GatewayClient, signal: AbortSignal) {
    this.lease = lease;
    this.ahead = lease.blobs.filter(({ hash }) => !cache.knows(hash));
    this.gateway = gateway;
    this.signal = signal;
  }

  /** The blob's addresses will be taken soon. */
  want(hash: string): void {
    if (!this.asked.has(hash)) this.wanted.add(hash);
  }

  /** This copy is none: the gateway hears of it with the next question. */
  bad(copy: BadCopy): void {
    this.lies.push(copy);
  }

  /** Addresses to use once: those that failed may have expired, so the next try gets new ones. */
  async take(hash: string): Promise<Source[]> {
    if (!this.asked.has(hash)) this.ask(hash);
    this.wanted.delete(hash);
    const sources = this.asked.get(hash);
    this.asked.delete(hash);
    return (await sources) ?? [];
  }

  /** Says what is left to say. */
  async tell(): Promise<void> {
    const [lie] = this.lies;
    if (lie) await this.call([lie.hash]);
  }

  /** Asks for this one and others that are wanted or will be, in the order of need. */
  private ask(hash: string): void {
    const hashes = new Set([hash, ...[...this.wanted].slice(0, BATCH - 1)]);
    let bytes = 0;
    const count = this.ahead.findIndex((blob) => {
      const hasRoom = hashes.size < BATCH && bytes < BATCH_BYTES;
      if (hasRoom) hashes.add(blob.hash);
      bytes += blob.sizeBytes;
      return !hasRoom;
    });
    this.ahead = count < 0 ? [] : this.ahead.slice(count);
    for (const one of hashes) this.wanted.delete(one);
    const answer = this.call([...hashes]);
    for (const one of hashes) {
      const sources = answer.then((all) => all.get(one) ?? []);
      sources.catch(() => undefined);
      this.asked.set(one, sources);
    }
  }

  private async call(hashes: string[]): Promise<Map<string, Source[]>> {
    const { lease, gateway, signal } = this;
    const bad = this.lies.slice(0, LIES);
    this.lies = this.lies.slice(LIES);
    const { blobs } = await gateway.fetch(lease.chunkId, { leaseNumber: lease.leaseNumber, hashes, bad }, signal);
    return new Map(blobs.map(({ hash, sources }) => [hash, sources]));
  }
}

const isMismatch = (error: unknown): boolean => error instanceof FarmError && error.code === 'HashMismatch';
