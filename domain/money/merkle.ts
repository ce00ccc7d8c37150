/**
 * The Merkle trees of the money, all in the encoding of `@openzeppelin/merkle-tree` (leaf = keccak256 twice over the ABI
 * encoding, pairs sorted), which the contracts check with OpenZeppelin's `MerkleProof`.
 */
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { chainId32 } from './chainIds.ts';

/** A unit as a receipt covers it. */
export interface ReceiptUnit {
  /** UUID of the unit. */
  unitId: string;
  /** Base units. */
  amount: bigint;
}

/** A unit as an invoice bills it. */
export interface BilledUnit extends ReceiptUnit {
  /** SHA-256 of the delivered EXR, lower-case hex. */
  exrHash: string;
}

/** An invoice line as its leaf holds it. */
export interface LineLeaf {
  /** UUID of the job. */
  jobId: string;
  /** Position in the invoice, from 0. */
  index: number;
  node: string;
  /** Base units. */
  amount: bigint;
  /** `billedUnitsRoot` of the line's units. */
  unitsRoot: string;
  /** 32 random bytes, hex: without them, a line could be guessed from its leaf. */
  salt: string;
}

/** A payout as its leaf holds it. */
export interface PayoutLeaf {
  jobId: string;
  node: string;
  /** Base units paid to the node when the batch was posted. */
  before: bigint;
  /** Base units that the batch gives it in all. */
  total: bigint;
}

const RECEIPT_UNIT = ['bytes32', 'uint128'];
const BILLED_UNIT = ['bytes32', 'uint128', 'bytes32'];
const LINE = ['bytes32', 'uint32', 'address', 'uint128', 'bytes32', 'bytes32'];
const PAYOUT = ['bytes32', 'address', 'uint128', 'uint128'];

/** Root over the units that a receipt covers, in any order. At least one unit. */
export function receiptUnitsRoot(units: readonly ReceiptUnit[]): string {
  return StandardMerkleTree.of(
    units.map(({ unitId, amount }) => [chainId32(unitId), amount]),
    RECEIPT_UNIT,
  ).root;
}

/** Root over the units of an invoice line, down to the hash of each frame, in any order. At least one unit. */
export function billedUnitsRoot(units: readonly BilledUnit[]): string {
  return StandardMerkleTree.of(
    units.map(({ unitId, amount, exrHash }) => [chainId32(unitId), amount, `0x${exrHash}`]),
    BILLED_UNIT,
  ).root;
}

/** Root of an invoice's lines, and leaf and proof of each, in the lines' order. At least one line. */
export function linesTree(lines: readonly LineLeaf[]): { root: string; leaves: string[]; proofs: string[][] } {
  const tree = StandardMerkleTree.of(lines.map(lineValue), LINE);
  const leaves: string[] = [];
  const proofs: string[][] = [];
  for (const [index, value] of tree.entries()) {
    leaves.push(tree.leafHash(value));
    proofs.push(tree.getProof(index));
  }
  return { root: tree.root, leaves, proofs };
}

/** Whether a line is part of the invoice with this root. */
export function verifyLine(root: string, line: LineLeaf, proof: readonly string[]): boolean {
  return StandardMerkleTree.verify(root, LINE, lineValue(line), [...proof]);
}

/** Root of a batch's payouts as the contract computes it, and a proof for each, in the payouts' order. At least one payout. */
export function payoutTree(payouts: readonly PayoutLeaf[]): { root: string; proofs: string[][] } {
  const values = payouts.map(({ jobId, node, before, total }) => [chainId32(jobId), node, before, total]);
  const tree = StandardMerkleTree.of(values, PAYOUT, { sortLeaves: false });
  return { root: tree.root, proofs: values.map((_, index) => tree.getProof(index)) };
}

function lineValue({ jobId, index, node, amount, unitsRoot, salt }: LineLeaf): unknown[] {
  return [chainId32(jobId), index, node, amount, unitsRoot, salt];
}
