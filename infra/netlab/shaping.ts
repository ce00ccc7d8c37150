/** A link's bandwidth: what `tc tbf` is told so that a plain TCP stream carries the asked payload. */
import { run } from './commands.ts';

/** Ethernet frame and TCP payload of a full segment at MTU 1500 with timestamps: headers take 4.4 % of what `tbf` counts. */
const FRAME_BYTES = 1514;
const PAYLOAD_BYTES = 1448;

/** The rate for `tbf`, Mbit/s, at which full segments carry `payloadMbits`. */
export const tbfRateFor = (payloadMbits: number): number => (payloadMbits * FRAME_BYTES) / PAYLOAD_BYTES;

/** The payload of so many counted bytes, had all come in full segments. */
export const payloadOf = (countedBytes: number): number => (countedBytes * PAYLOAD_BYTES) / FRAME_BYTES;

/** The largest packet that the kernel cuts into segments later (GSO), with the headers of all of its segments. */
const LARGEST_PACKET_BYTES = 69_000;

/**
 * Arguments of `tc` that shape what leaves a device. The bucket holds 20 ms of the rate where that is a packet of the
 * largest kind, else 4 ms: so a timer that fires late does not leave the link idle, hardly anything can be saved up in it
 * (a full bucket is 0.1 % of the ten frames of a site at 33 Mbit/s), and from 27 Mbit/s on packets that the kernel cuts into
 * segments later (GSO) cross whole, counted with the headers that their segments will have. On slower links they are cut
 * before they are counted. Without that, a lab of ten links costs a core for packets alone. The queue before the bucket
 * holds 40 ms, more than a stream without propagation delay needs to keep the link full.
 */
export function tbfArguments(device: string, tbfMbits: number): string[] {
  const bytesASecond = (tbfMbits * 1e6) / 8;
  const whole = bytesASecond * 0.02 >= LARGEST_PACKET_BYTES ? LARGEST_PACKET_BYTES : 16_384;
  const burst = Math.max(whole, Math.round(bytesASecond * 0.004));
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
