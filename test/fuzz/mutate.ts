/** Seeded damage for glTF binaries: what transfers, exporters and strangers do to files. */
import { createHash } from 'node:crypto';

/** A stream of numbers that a seed fixes; SHA-256 in counter mode. */
export class SeededNumbers {
  private readonly seed: string;
  private counter = 0;

  constructor(seed: string) {
    this.seed = seed;
  }

  /** A whole number from 0 to `below - 1`. */
  below(below: number): number {
    const digest = createHash('sha256')
      .update(`${this.seed}:${this.counter++}`)
      .digest();
    return digest.readUIntBE(0, 6) % below;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Values at which arithmetic, indices and sizes break. */
const EDGES = [
  ...[0, -1, 1, 2, 3, 255, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53],
  ...[0.5, -0.0, 1e-20, 1e20, 1e-45, 3.5e38, 1e308],
];
const OTHERS = [null, true, '', 'x', [], {}, [[]], '../../etc/passwd', 'data:,', '\u0000'];

const JSON_START = 20;

type Damage = (bytes: Buffer, numbers: SeededNumbers) => Buffer;

const flipBytes: Damage = (bytes, numbers) => {
  const damaged = Buffer.from(bytes);
  for (let left = 1 + numbers.below(8); left > 0; left--) damaged[numbers.below(bytes.length)] = numbers.below(256);
  return damaged;
};

const cutOff: Damage = (bytes, numbers) => bytes.subarray(0, numbers.below(bytes.length));

const repeatPart: Damage = (bytes, numbers) => {
  const at = numbers.below(bytes.length);
  const end = Math.min(bytes.length, at + 1 + numbers.below(256));
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
};

/** NaN, infinities and extremes in the binary part, where positions, keys and matrices lie. */
const strangeFloats: Damage = (bytes, numbers) => {
  const damaged = Buffer.from(bytes);
  const from = JSON_START + bytes.readUInt32LE(12) + 8;
  const words = Math.floor((bytes.length - from) / 4);
  if (words <= 0) return flipBytes(bytes, numbers);
  const values = [Number.NaN, Infinity, -Infinity, 1e20, -1e20, 1e-20, 3.4e38, 0];
  for (let left = 1 + numbers.below(6); left > 0; left--) {
    damaged.writeFloatLE(numbers.pick(values), from + numbers.below(words) * 4);
  }
  return damaged;
};

/** Changes, removes or swaps values anywhere in the JSON, and writes a container that is whole again. */
const changeJson: Damage = (bytes, numbers) => {
  const length = bytes.readUInt32LE(12);
  const json = JSON.parse(bytes.toString('utf8', JSON_START, JSON_START + length)) as unknown;
  for (let left = 1 + numbers.below(3); left > 0; left--) changeSomewhere(json, numbers);
  const text = Buffer.from(JSON.stringify(json));
  const padded = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4, 0x20)]);
  const header = Buffer.from(bytes.subarray(0, JSON_START));
  const rest = bytes.subarray(JSON_START + length);
  header.writeUInt32LE(JSON_START + padded.length + rest.length, 8);
  header.writeUInt32LE(padded.length, 12);
  return Buffer.concat([header, padded, rest]);
};

function changeSomewhere(root: unknown, numbers: SeededNumbers): void {
  let holder = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(holder);
    if (keys.length === 0) return;
    const key = numbers.pick(keys);
    const value = holder[key];
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && numbers.below(8) > 0) {
      holder = value as Record<string, unknown>;
      continue;
    }
    const what = numbers.below(4);
    if (what === 0) delete holder[key];
    else if (what === 1 || typeof value === 'number') holder[key] = numbers.pick(EDGES);
    else if (what === 2) holder[key] = numbers.pick(OTHERS);
    else holder[key] = holder[numbers.pick(keys)];
    return;
  }
}

const DAMAGES: Record<string, Damage> = { flipBytes, cutOff, repeatPart, strangeFloats, changeJson };

/** The damaged file of a case, and the kind of damage. The same case gives the same bytes. */
export function damage(bytes: Buffer, seed: string): { kind: string; bytes: Buffer } {
  const numbers = new SeededNumbers(seed);
  // JSON is where most of the format lives.
  const kind = numbers.pick([...Object.keys(DAMAGES), 'changeJson', 'changeJson', 'changeJson']);
  return { kind, bytes: (DAMAGES[kind] as Damage)(bytes, numbers) };
}
