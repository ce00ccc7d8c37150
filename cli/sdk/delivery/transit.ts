/** What both ends of the compressed way share: `workers/site/transitEncoder.ts` says what the stream looks like. */
import { createRequire } from 'node:module';

/** Media type of a compressed stream. */
export const TRANSIT_TYPE = 'application/vnd.framewright.planes-zstd';
/** Request header; `on` compresses also for a link that waits for us, anything else leaves the choice to the sender. */
export const TRANSIT_HEADER = 'framewright-transit';

/** The binding itself, since the package's own function leaves the level out. Works on libuv's threads. */
export interface Zstd {
  compress(bytes: Buffer, level: number): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

let loaded: Zstd | null | undefined;

/** Zstandard (RFC 8878), loaded when it is first asked for; null where the package holds no binary for this platform. */
export function zstd(): Zstd | null {
  if (loaded !== undefined) return loaded;
  // The package finds out its C library from Node's diagnostic report. That would look up the name of whoever is connected, one
  // after the other: where no name server answers, a site agent stood still for tens of seconds. Peers of worker threads are
  // looked up even so, so load it before a thread connects.
  const report = process.report as { excludeNetwork?: boolean };
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    loaded = createRequire(import.meta.url)('@mongodb-js/zstd/bindings') as Zstd;
  } catch {
    loaded = null;
  } finally {
    report.excludeNetwork = excludeNetwork ?? false;
  }
  return loaded;
}

type Transit = 'auto' | 'on' | 'off';

/** What of a wish can be had on this machine; `note` says why it is not what was wished. */
export function usableTransit(wish: Transit): { transit: Transit; note: string | null } {
  if (wish === 'off' || zstd()) return { transit: wish, note: null };
  const note = `Frames come uncompressed: zstd has no binary for ${process.platform} on ${process.arch}.`;
  return { transit: 'off', note };
}
