/**
 * The entropy coder of PIZ: canonical Huffman codes over 16-bit symbols, with one more symbol that repeats the last one. The
 * layout is that of OpenEXR's `hufCompress` ("OpenEXR File Layout", PIZ): five 32-bit numbers, the packed code lengths of the
 * symbols `first` to `last` (the repeater is `last`), and the bits, most significant first.
 */
import { ExrError } from './format.ts';

const HEADER_BYTES = 20;
const SYMBOLS = 65_536 + 1;
/** Code lengths in the packed table: 59 to 62 are runs of 2 to 5 unused symbols, 63 a longer one with its length in 8 bits. */
const SHORT_RUN = 59;
const LONG_RUN = 63;
const SHORTEST_LONG_RUN = 6;
const LONGEST_LONG_RUN = 255 + SHORTEST_LONG_RUN;
/** The format allows codes of 58 bits. Ours stay so short that a code fits a 32-bit integer beside seven bits not yet written. */
const MAX_CODE_BITS = 24;
/** Codes up to this length are decoded by one look-up. */
const LOOKUP_BITS = 12;
/** Longest code that is decoded; longer ones need some 2 million samples in a chunk, spread as no picture spreads them. */
const MAX_DECODED_BITS = 31;

/** Appends bits to a byte array that is large enough. */
class BitWriter {
  private readonly out: Uint8Array;
  private pending = 0;
  private pendingBits = 0;
  at: number;

  constructor(out: Uint8Array, at: number) {
    this.out = out;
    this.at = at;
  }

  write(value: number, bits: number): void {
    this.pending = (this.pending << bits) | value;
    this.pendingBits += bits;
    while (this.pendingBits >= 8) {
      this.pendingBits -= 8;
      this.out[this.at++] = this.pending >>> this.pendingBits;
    }
    this.pending &= (1 << this.pendingBits) - 1;
  }

  /** Fills the last byte; returns how many of its bits were used (0: none was open). */
  finish(): number {
    const used = this.pendingBits;
    if (used > 0) this.out[this.at++] = this.pending << (8 - used);
    this.pendingBits = 0;
    return used;
  }
}

/**
 * Lengths of an optimal prefix code (D. Huffman 1952, by two queues), bounded by `MAX_CODE_BITS`: while the longest is longer,
 * frequencies are halved, which flattens the tree.
 */
function codeLengths(frequencies: Uint32Array): Uint8Array {
  const lengths = new Uint8Array(SYMBOLS);
  let weights = frequencies;
  const used = Array.from(frequencies.keys()).filter((symbol) => frequencies[symbol]! > 0);
  for (;;) {
    const leaves = used.toSorted((a, b) => weights[a]! - weights[b]! || a - b);
    const count = leaves.length;
    // Nodes 0 to count - 1 are leaves in order of weight, the others are made in order of weight too.
    const weight = new Float64Array(2 * count);
    const parent = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) weight[i] = weights[leaves[i]!]!;
    let leaf = 0;
    let inner = count;
    for (let made = count; made < 2 * count - 1; made++) {
      for (let child = 0; child < 2; child++) {
        const takesLeaf = leaf < count && (inner >= made || weight[leaf]! <= weight[inner]!);
        const taken = takesLeaf ? leaf++ : inner++;
        weight[made]! += weight[taken]!;
        parent[taken] = made;
      }
    }
    const depth = new Uint8Array(2 * count);
    let longest = 0;
    for (let node = 2 * count - 3; node >= 0; node--) {
      depth[node] = depth[parent[node]!]! + 1;
      if (node < count) longest = Math.max(longest, depth[node]!);
    }
    if (longest <= MAX_CODE_BITS) {
      for (let i = 0; i < count; i++) lengths[leaves[i]!] = depth[i]!;
      return lengths;
    }
    weights = weights.map((value) => (value > 0 ? (value >>> 1) | 1 : 0));
  }
}

/** The first code of each length; codes of one length follow one another in the order of symbols, long codes being smallest. */
function firstCodes(lengths: Uint8Array): Uint32Array {
  const counts = new Float64Array(64);
  for (const length of lengths) if (length > 0) counts[length]!++;
  const first = new Uint32Array(64);
  let code = 0;
  for (let length = 58; length > 0; length--) {
    const next = (code + counts[length]!) / 2;
    first[length] = code;
    code = Math.floor(next);
  }
  return first;
}

function packLengths(lengths: Uint8Array, first: number, last: number, writer: BitWriter): void {
  for (let symbol = first; symbol <= last; symbol++) {
    let run = 0;
    while (symbol + run <= last && run < LONGEST_LONG_RUN && lengths[symbol + run] === 0) run++;
    if (run < 2) {
      writer.write(lengths[symbol]!, 6);
      continue;
    }
    if (run >= SHORTEST_LONG_RUN) {
      writer.write(LONG_RUN, 6);
      writer.write(run - SHORTEST_LONG_RUN, 8);
    } else {
      writer.write(SHORT_RUN + run - 2, 6);
    }
    symbol += run - 1;
  }
  writer.finish();
}

/** Compresses symbols. `symbols` is not empty. */
export function huffmanCompress(symbols: Uint16Array): Uint8Array {
  const frequencies = new Uint32Array(SYMBOLS);
  for (const symbol of symbols) frequencies[symbol]!++;
  const first = frequencies.findIndex((count) => count > 0);
  const repeater = frequencies.findLastIndex((count) => count > 0) + 1;
  frequencies[repeater] = 1;
  const lengths = codeLengths(frequencies);
  const next = firstCodes(lengths);
  const codes = new Uint32Array(SYMBOLS);
  let bits = 0;
  for (let symbol = first; symbol <= repeater; symbol++) {
    const length = lengths[symbol]!;
    if (length > 0) codes[symbol] = next[length]!++;
    bits += length * frequencies[symbol]!;
  }
  // Runs only save bits, so this is room enough; the table takes at most 14 bits for two symbols.
  const out = new Uint8Array(HEADER_BYTES + (repeater - first + 1) * 2 + 4 + Math.ceil(bits / 8) + 8);
  const writer = new BitWriter(out, HEADER_BYTES);
  packLengths(lengths, first, repeater, writer);
  const tableBytes = writer.at - HEADER_BYTES;
  const dataStart = writer.at;
  const repeaterBits = lengths[repeater]!;
  for (let at = 0; at < symbols.length; ) {
    const symbol = symbols[at]!;
    let repeats = 0;
    while (repeats < 255 && symbols[at + 1 + repeats] === symbol) repeats++;
    at += 1 + repeats;
    const length = lengths[symbol]!;
    const code = codes[symbol]!;
    if (length + repeaterBits + 8 < length * repeats) {
      writer.write(code, length);
      writer.write(codes[repeater]!, repeaterBits);
      writer.write(repeats, 8);
    } else {
      for (let i = 0; i <= repeats; i++) writer.write(code, length);
    }
  }
  const open = writer.finish();
  const dataBits = (writer.at - dataStart) * 8 - (open > 0 ? 8 - open : 0);
  const header = new DataView(out.buffer, 0, HEADER_BYTES);
  for (const [index, value] of [first, repeater, tableBytes, dataBits, 0].entries()) {
    header.setUint32(index * 4, value, true);
  }
  return out.subarray(0, writer.at);
}

/** Reads bits, zeros after the end. */
class BitReader {
  private readonly bytes: Uint8Array;
  /** Position in bits. */
  at: number;

  constructor(bytes: Uint8Array, byte: number) {
    this.bytes = bytes;
    this.at = byte * 8;
  }

  /** The next `bits` (at most 24) without taking them. */
  peek(bits: number): number {
    const byte = this.at >>> 3;
    const { bytes } = this;
    const word =
      ((bytes[byte] ?? 0) << 24) |
      ((bytes[byte + 1] ?? 0) << 16) |
      ((bytes[byte + 2] ?? 0) << 8) |
      (bytes[byte + 3] ?? 0);
    return (word << (this.at & 7)) >>> (32 - bits);
  }

  take(bits: number): number {
    const value = this.peek(bits);
    this.at += bits;
    return value;
  }
}

function unpackLengths(reader: BitReader, first: number, last: number, endBit: number): Uint8Array {
  const lengths = new Uint8Array(SYMBOLS);
  for (let symbol = first; symbol <= last; symbol++) {
    if (reader.at >= endBit) throw new ExrError('the table of codes ends early');
    const value = reader.take(6);
    if (value < SHORT_RUN) {
      lengths[symbol] = value;
      continue;
    }
    const run = value === LONG_RUN ? reader.take(8) + SHORTEST_LONG_RUN : value - SHORT_RUN + 2;
    if (symbol + run > last + 1) throw new ExrError('the table of codes is too long');
    symbol += run - 1;
  }
  return lengths;
}

/** Undoes `huffmanCompress`; fills `symbols` exactly. Throws `ExrError` on damage. */
export function huffmanUncompress(bytes: Uint8Array, symbols: Uint16Array): void {
  if (bytes.length < HEADER_BYTES) throw new ExrError('a chunk ends inside its codes');
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [first, repeater, , dataBits] = [0, 4, 8, 12].map((at) => header.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  const endOfBytes = bytes.length * 8;
  if (first > repeater || repeater >= SYMBOLS) throw new ExrError('a chunk has absurd codes');
  const reader = new BitReader(bytes, HEADER_BYTES);
  const lengths = unpackLengths(reader, first, repeater, endOfBytes);
  reader.at = Math.ceil(reader.at / 8) * 8;
  const end = reader.at + dataBits;
  if (end > endOfBytes) throw new ExrError('a chunk ends inside its data');

  const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
  if (longest > MAX_DECODED_BITS) throw new ExrError(`a code of ${longest} bits is not read`);
  const firstCode = firstCodes(lengths);
  // Symbols by length, then by value: canonical codes count up through them.
  const countOf = new Uint32Array(64);
  for (const length of lengths) if (length > 0) countOf[length]!++;
  const startOf = new Uint32Array(64);
  for (let length = 1, start = 0; length < 64; length++) {
    startOf[length] = start;
    start += countOf[length]!;
    if (length <= MAX_DECODED_BITS && firstCode[length]! + countOf[length]! > 2 ** length) {
      throw new ExrError('a chunk has impossible codes');
    }
  }
  const sorted = new Uint32Array(SYMBOLS);
  const fill = startOf.slice();
  for (let symbol = first; symbol <= repeater; symbol++) {
    const length = lengths[symbol]!;
    if (length > 0) sorted[fill[length]!++] = symbol;
  }
  // symbol * 32 + length of the code that a look-up's bits begin with; 0 where it is longer.
  const lookup = new Uint32Array(1 << LOOKUP_BITS);
  for (let length = 1; length <= Math.min(LOOKUP_BITS, longest); length++) {
    for (let k = 0; k < countOf[length]!; k++) {
      const from = (firstCode[length]! + k) << (LOOKUP_BITS - length);
      const entry = sorted[startOf[length]! + k]! * 32 + length;
      lookup.fill(entry, from, from + (1 << (LOOKUP_BITS - length)));
    }
  }

  let written = 0;
  while (reader.at < end) {
    const entry = lookup[reader.peek(LOOKUP_BITS)]!;
    let symbol = -1;
    if (entry !== 0) {
      symbol = entry >>> 5;
      reader.at += entry & 31;
    } else {
      // Longer codes are rare: one bit more at a time.
      let code = reader.take(LOOKUP_BITS);
      for (let length = LOOKUP_BITS + 1; length <= longest; length++) {
        code = code * 2 + reader.take(1);
        const index = code - firstCode[length]!;
        if (index >= 0 && index < countOf[length]!) {
          symbol = sorted[startOf[length]! + index]!;
          break;
        }
      }
      if (symbol < 0) throw new ExrError('a chunk holds bits that are no code');
    }
    if (symbol === repeater) {
      const repeats = reader.take(8);
      if (written === 0 || written + repeats > symbols.length) throw new ExrError('a chunk repeats nothing');
      symbols.fill(symbols[written - 1]!, written, written + repeats);
      written += repeats;
    } else {
      if (written >= symbols.length) throw new ExrError('a chunk holds too many samples');
      symbols[written++] = symbol;
    }
  }
  if (reader.at !== end || written !== symbols.length) throw new ExrError('a chunk holds too few samples');
}
