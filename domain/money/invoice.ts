/**
 * The invoice of a job: a line for each (node, chunk), down to its units. In the studio's currency, paid in CMP at a
 * stated rate. Pure: number, time, salts and rate come in from outside.
 *
 * Rounding: the net sum is the CMP total at the rate, rounded down (`toCents`); lines share it by largest remainder, so
 * that they add up to the cent; tax is rounded half up on the net sum, as EN 16931 (BR-CO-17) has it.
 */
import { FarmError } from '../errors.ts';
import { CMP_DECIMALS, type Rate, shareCents, toCents } from './amount.ts';
import { EMPTY_ROOT } from './batch.ts';
import { billedUnitsRoot, linesTree } from './merkle.ts';
import { workOfPrice } from './pricing.ts';

/** Seller or buyer as printed. Never on chain. */
export interface InvoiceParty {
  name: string;
  /** Postal address, line by line. */
  address: string[];
  /** VAT or other tax number. */
  taxId?: string;
  /** Account on chain. */
  account: string;
}

/** Where the invoice settles. */
interface InvoiceChain {
  chainId: number;
  /** Addresses of the contracts. */
  token: string;
  escrow: string;
  settlement: string;
}

/** What is billed of a committed unit. */
interface InvoiceUnitInput {
  unitId: string;
  frame: number;
  take: number;
  tile: number;
  /** Base units. */
  amount: bigint;
  /** SHA-256 of the delivered EXR, lower-case hex. */
  exrHash: string;
}

/** The units that one node committed of one chunk. */
export interface InvoiceLineInput {
  nodeId: string;
  nodeName: string;
  /** Address of the node's key. */
  nodeAccount: string;
  chunkId: string;
  /** 32 random bytes, `0x` hex. */
  salt: string;
  units: InvoiceUnitInput[];
}

/** Everything that `computeInvoice` needs. */
export interface InvoiceInput {
  /** Given from outside, without gaps. */
  number: string;
  /** ISO 8601 time. */
  issuedAt: string;
  jobId: string;
  jobName: string;
  /** ISO 8601 times of the first and last committed unit. */
  performedFrom: string;
  performedTo: string;
  seller: InvoiceParty;
  buyer: InvoiceParty;
  rate: Rate;
  /** Tax in hundredths of a percent: 1900 is 19 %. */
  taxBasisPoints: number;
  /** Printed with the tax line, such as the reason for an exemption. */
  taxNote?: string;
  /** Base units for a FarmBench-hour, as quoted. */
  pricePerFbh: bigint;
  chain: InvoiceChain;
  /** Frames of the job that came from the frame cache and stand on no line; left out for none. */
  cached?: CachedFrames;
  lines: InvoiceLineInput[];
}

/** Frames that are not billed. */
export interface CachedFrames {
  count: number;
  /** In the farm's grammar. */
  frames: string;
}

/** A unit in an invoice. Amounts in base units as decimal strings. */
export interface InvoiceUnit extends Omit<InvoiceUnitInput, 'amount'> {
  amount: string;
}

/** A line of an invoice. */
export interface InvoiceLine {
  /** From 1; the leaf's index is one less. */
  line: number;
  nodeId: string;
  nodeName: string;
  nodeAccount: string;
  chunkId: string;
  /** Frames in the farm's grammar: `1-4,7`. */
  frames: string;
  units: InvoiceUnit[];
  /** Work that the price stands for, billionths of an FBh. */
  nanoFbh: string;
  /** Base units. */
  amount: string;
  /** Currency minor units. */
  netCents: string;
  unitsRoot: string;
  salt: string;
  leaf: string;
  proof: string[];
}

/** The whole document; plain JSON. Amounts of CMP in base units, of currency in minor units, as decimal strings. */
export interface Invoice extends Omit<InvoiceInput, 'rate' | 'pricePerFbh' | 'lines'> {
  formatVersion: 1;
  rate: { currency: string; centsPerTokenE6: string; at: string; source: string };
  pricePerFbh: string;
  tokenSymbol: 'CMP';
  tokenDecimals: number;
  lines: InvoiceLine[];
  /** Merkle root of the lines; zeros for none. */
  root: string;
  /** Base units of all lines. */
  total: string;
  netCents: string;
  taxCents: string;
  grossCents: string;
}

/**
 * Computes an invoice. Lines keep their order, except that units within a line are sorted by frame, take and tile.
 * @throws FarmError `Internal` when a unit stands in two lines or a line has none: each would bill something twice or nothing
 */
export function computeInvoice(input: InvoiceInput): Invoice {
  requireEachUnitOnce(input.lines);
  const drafts = input.lines.map((line) => ({ ...line, units: [...line.units].sort(byFrame) }));
  const amounts = drafts.map((line) => line.units.reduce((sum, unit) => sum + unit.amount, 0n));
  const total = amounts.reduce((sum, amount) => sum + amount, 0n);
  const cents = shareCents(amounts, input.rate);
  const leaves = drafts.map((line, index) => ({
    jobId: input.jobId,
    index,
    node: line.nodeAccount,
    amount: amounts[index]!,
    unitsRoot: billedUnitsRoot(line.units),
    salt: line.salt,
  }));
  const tree = leaves.length > 0 ? linesTree(leaves) : { root: EMPTY_ROOT, leaves: [], proofs: [] };
  const net = toCents(total, input.rate);
  const tax = (net * BigInt(input.taxBasisPoints) + 5000n) / 10_000n;
  const { rate, pricePerFbh, lines: _, ...head } = input;
  return {
    formatVersion: 1,
    ...head,
    rate: { ...rate, centsPerTokenE6: rate.centsPerTokenE6.toString() },
    pricePerFbh: pricePerFbh.toString(),
    tokenSymbol: 'CMP',
    tokenDecimals: CMP_DECIMALS,
    lines: drafts.map((line, index) => ({
      ...line,
      line: index + 1,
      frames: frameList(line.units.map((unit) => unit.frame)),
      units: line.units.map((unit) => ({ ...unit, amount: unit.amount.toString() })),
      nanoFbh: workOfPrice(amounts[index]!, pricePerFbh).toString(),
      amount: amounts[index]!.toString(),
      netCents: cents[index]!.toString(),
      unitsRoot: leaves[index]!.unitsRoot,
      leaf: tree.leaves[index]!,
      proof: tree.proofs[index]!,
    })),
    root: tree.root,
    total: total.toString(),
    netCents: net.toString(),
    taxCents: tax.toString(),
    grossCents: (net + tax).toString(),
  };
}

/** The input that gives an invoice again: whoever holds the document can recompute it. */
export function inputOf(invoice: Invoice): InvoiceInput {
  const { formatVersion: _, tokenSymbol: _s, tokenDecimals: _d, root: _r, total: _t, ...rest } = invoice;
  const { netCents: _n, taxCents: _x, grossCents: _g, rate, pricePerFbh, lines, ...head } = rest;
  return {
    ...head,
    rate: { ...rate, centsPerTokenE6: BigInt(rate.centsPerTokenE6) },
    pricePerFbh: BigInt(pricePerFbh),
    lines: lines.map(({ nodeId, nodeName, nodeAccount, chunkId, salt, units }) => ({
      ...{ nodeId, nodeName, nodeAccount, chunkId, salt },
      units: units.map((unit) => ({ ...unit, amount: BigInt(unit.amount) })),
    })),
  };
}

/**
 * Recomputes every sum, leaf, proof and root of an invoice from its units.
 * @returns what differs, in words, with the place; empty when all is right
 */
export function invoiceProblems(invoice: Invoice): string[] {
  const again = computeInvoice(inputOf(invoice));
  const problems: string[] = [];
  for (const key of ['root', 'total', 'netCents', 'taxCents', 'grossCents'] as const) {
    if (again[key] !== invoice[key]) problems.push(`${key} is ${invoice[key]}, its lines give ${again[key]}`);
  }
  for (const [index, line] of invoice.lines.entries()) {
    const expected = again.lines[index]!;
    for (const key of ['line', 'frames', 'amount', 'netCents', 'unitsRoot', 'leaf'] as const) {
      if (expected[key] !== line[key]) {
        problems.push(`line ${index + 1}: ${key} is ${line[key]}, its units give ${expected[key]}`);
      }
    }
    if (expected.proof.join() !== line.proof.join())
      problems.push(`line ${index + 1}: the proof does not lead to the root`);
  }
  return problems;
}

function requireEachUnitOnce(lines: readonly InvoiceLineInput[]): void {
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (line.units.length === 0) throw new FarmError('Internal', `Invoice line ${index + 1} has no units.`);
    for (const { unitId } of line.units) {
      if (seen.has(unitId)) throw new FarmError('Internal', `Unit ${unitId} would be billed twice.`, { unit: unitId });
      seen.add(unitId);
    }
  }
}

function byFrame(a: InvoiceUnitInput, b: InvoiceUnitInput): number {
  return a.frame - b.frame || a.take - b.take || a.tile - b.tile;
}

/** Sorted frames as ranges; a frame with several tiles or takes is named once. */
function frameList(frames: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const frame of frames) {
    const last = ranges.at(-1);
    if (last && frame <= last[1] + 1) last[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
