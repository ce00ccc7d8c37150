/**
 * Brings a lease's files to the node in the order in which its frames need them: what the cache lacks is fetched, files are
 * laid out as the project's folder, and each frame is told when its own are there. Files of later frames follow as soon as
 * the link would idle otherwise, not at the cost of an earlier frame's.
 */
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { checkProjectPath } from '../../domain/paths.ts';
import { partsOf } from '../../domain/projectFiles.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease } from '../../ports/gateway/protocol.ts';
import type { BlobCache } from './cache.ts';
import { createBacklog, createTurns } from './pacing.ts';
import { isPassing, retrying } from './retry.ts';

/** Blobs on their way at the same time. */
const FETCHES = 4;
/** Looks into the cache at the same time; one may have to read a file. */
const LOOKS = 8;
/** Files that are laid out at the same time. */
const PLACINGS = 16;
/** A later frame's blobs begin when no more than this is left of what began before, bytes: enough to keep a link busy. */
const LEFT_BYTES = 512 * 1024;
/** Addresses asked for at once (the protocol's bound is 1000); they live for minutes, so not too many. */
const BATCH = 200;

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
}

/**
 * Starts at once; passing failures are tried again until `signal` ends.
 * @param folder absolute, empty; becomes the root of the project
 */
export function startStaging(
  lease: Lease,
  folder: string,
  { gateway, cache, signal }: { gateway: GatewayClient; cache: BlobCache; signal: AbortSignal },
): Staging {
  const sizes = new Map(lease.blobs.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const addresses = new Addresses(lease, gateway, signal);
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
  for (const { frame, needed } of stepsOf(lease)) {
    const begun = before.then(() => backlog.below(LEFT_BYTES)).then(() => needed.map(files));
    before = begun.then((all) => Promise.all(all.map(({ looked }) => looked)));
    ready.set(
      frame,
      begun.then((all) => Promise.all(all.map(({ arrived }) => arrived))),
    );
  }
  const done = Promise.all(ready.values()).then(() => result);
  // Whoever waits hears of a failure; nobody has to wait.
  for (const promise of [before, ...ready.values(), done]) promise.catch(() => undefined);
  return {
    async ready(frame) {
      await ready.get(null);
      await ready.get(frame);
    },
    done,
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
    let mismatches = 0;
    await retrying(
      async () => {
        const url = await addresses.take(hash);
        let received = 0;
        const counted = async function* (bytes: AsyncIterable<Uint8Array>) {
          for await (const some of bytes) {
            received += some.byteLength;
            backlog.add(-some.byteLength);
            yield some;
          }
        };
        try {
          await cache.add(hash, sizeBytes, counted(await gateway.download(url, signal)), signal);
        } catch (error) {
          backlog.add(received);
          throw error;
        }
      },
      { signal, retryable: (error) => isPassing(error) || isBroken(error) || (isMismatch(error) && ++mismatches < 3) },
    );
    result.fetchedBytes += sizeBytes;
  }

  /** Lays a file out whose blobs are all in the cache. */
  async function place(file: LeaseFile): Promise<void> {
    signal.throwIfAborted();
    // The gateway is trusted less than the file system: a name must stay inside the folder.
    const target = join(folder, checkProjectPath(file.path));
    if (!file.parts) return cache.materialise(file.hash, target);
    if (!isAssembled(file)) return cache.writeSlices(file, partsOf(file), target);
    if (!(await cache.has(file.hash))) {
      await cache.add(file.hash, file.sizeBytes, cache.slices(partsOf(file)), signal);
    }
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

/** Presigned addresses of a lease's blobs, asked for together. */
class Addresses {
  private readonly lease: Lease;
  private readonly gateway: GatewayClient;
  private readonly signal: AbortSignal;
  private readonly wanted = new Set<string>();
  private readonly asked = new Map<string, Promise<string | undefined>>();

  constructor(lease: Lease, gateway: GatewayClient, signal: AbortSignal) {
    this.lease = lease;
    this.gateway = gateway;
    this.signal = signal;
  }

  /** The blob's address will be taken soon. */
  want(hash: string): void {
    this.wanted.add(hash);
  }

  /** An address to use once: one that failed may have expired, so the next try gets a new one. */
  async take(hash: string): Promise<string> {
    if (!this.asked.has(hash)) this.ask(hash);
    const url = this.asked.get(hash);
    this.asked.delete(hash);
    const taken = await url;
    if (taken !== undefined) return taken;
    throw new FarmError('NotFound', `The gateway knows no blob ${hash}.`, { hash });
  }

  /** Asks for this one and others that are wanted, in the order of need. */
  private ask(hash: string): void {
    this.wanted.delete(hash);
    const hashes = [hash, ...[...this.wanted].slice(0, BATCH - 1)];
    for (const one of hashes) this.wanted.delete(one);
    const { lease, gateway, signal } = this;
    const answer = gateway
      .fetch(lease.chunkId, lease.leaseNumber, hashes, signal)
      .then(({ urls }) => new Map(urls.map(({ hash: of, url }) => [of, url])));
    for (const one of hashes) {
      const url = answer.then((urls) => urls.get(one));
      url.catch(() => undefined);
      this.asked.set(one, url);
    }
  }
}

const isMismatch = (error: unknown): boolean => error instanceof FarmError && error.code === 'HashMismatch';

/** A connection that ended in the middle of the bytes. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof FarmError) &&
  /terminated|socket|ECONNRESET|premature/i.test(error.message);
