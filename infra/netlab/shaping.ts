/** A link's bandwidth: what `tc tbf` is told so that a plain TCP stream carries the asked payload. */
import { run } from './commands.ts';

/** Ethernet frame and TCP payload of a full segment at MTU 1500 with timestamps: headers take 4.4 % of what `tbf` counts. */
const FRAME_BYTES = 1514;
const PAYLOAD_BYTES = 1448;

/** The rate for `tbf`, Mbit/s, at which full segments carry `payloadMbits`. */
export const tbfRateFor = (payloadMbits: number): number => (payloadMbits * FRAME_BYTES) / PAYLOAD_BYTES;

/** The payload of so many counted bytes, had all come in full segments. */
export const payloadOf = (countedBytes: number): number => (countedBytes * PAYLOAD_BYTES) / FRAME_BYTES;

/**
 * Arguments of `tc` that shape what leaves a device. The bucket holds 4 ms of the rate, so that a timer that fires late does
 * not leave the link idle, and yet hardly anything can be saved up in it; the queue before it holds 40 ms, more than a
 * stream without propagation delay needs to keep the link full. Segments that the kernel cut later (GSO) are cut by `tbf`
 * when they are larger than the bucket, and counted with the headers that they will have when they are not.
 */
export function tbfArguments(device: string, tbfMbits: number): string[] {
  const bytesASecond = (tbfMbits * 1e6) / 8;
  const burst = Math.max(16_384, Math.round(bytesASecond * 0.004));
  const limit = burst + Math.max(65_536, Math.round(bytesASecond * 0.04));
  const rate = ['rate', `${Math.round(tbfMbits * 1e6)}bit`, 'burst', `${burst}b`, 'limit', `${limit}b`];
  return ['qdisc', 'replace', 'dev', device, 'root', 'handle', '1:', 'tbf', ...rate];
}

/** Bytes that left a device so far, headers included, by the kernel's counters of its queue. */
export async function sentBytes(namespace: string, device: string): Promise<number> {
  const text = await run('tc', ['-netns', namespace, '-statistics', '-json', 'qdisc', 'show', 'dev', device]);
  const queues = JSON.parse(text) as { root?: boolean; bytes?: number }[];
  const bytes = queues.find(({ root }) => root)?.bytes;
  if (bytes !== undefined) return bytes;
  // A device without a queue of its own (an unshaped veth) counts by itself.
  const links = JSON.parse(await run('ip', ['-netns', namespace, '-statistics', '-json', 'link', 'show', device])) as {
    stats64: { tx: { bytes: number } };
  }[];
  return links[0]!.stats64.tx.bytes;
}
