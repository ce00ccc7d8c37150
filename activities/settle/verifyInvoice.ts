/** Checks an invoice for whoever asks: proofs against the chain, frames against the store, books against both. */
import { FarmError } from '../../domain/errors.ts';
import { type Invoice, invoiceProblems } from '../../domain/money/invoice.ts';
import { billedUnitsRoot, type LineLeaf } from '../../domain/money/merkle.ts';
import type { Chain } from '../../ports/chain/chain.ts';
import type { Database } from '../../ports/db/client.ts';
import { framesFromCache } from '../../ports/db/commitCached.ts';
import { sitesOfFrames } from '../../ports/db/siteStores.ts';
import type { ObjectStore } from '../../ports/store/objectStore.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';
import type { JobKey } from '../services.ts';
import { type BookCheck, compareBooks, readBooks } from './compareBooks.ts';
import type { IssuedLine } from './issuedInvoice.ts';

export interface LineCheck {
  line: number;
  /** The line's leaf, computed again from its units, is proved by the root on chain. */
  proof: boolean;
  /** The bytes of every frame of the line, read from the store and hashed again, are those that were billed. */
  frames: boolean;
  detail: string;
}

export interface InvoiceVerification {
  ok: boolean;
  checks: BookCheck[];
  lines: LineCheck[];
}

/**
 * Verifies the invoice of a job from end to end. Reads every frame, so it takes as long as the store needs for that.
 * @throws FarmError `NotFound` when the job has no invoice
 */
export async function verifyInvoice(
  { database, stores, chain }: { database: Database; stores: SiteStores; chain: Chain },
  key: JobKey,
): Promise<InvoiceVerification> {
  const books = await readBooks(database, key);
  if (!books.issued) throw new FarmError('NotFound', 'The job has no invoice (yet).', { job: key.jobId });
  const { invoice, lines } = books.issued;
  const batch = await chain.batch(key.jobId);
  const document = invoice.document as unknown as Invoice;
  const problems = invoiceProblems(document);
  const rootOk = batch !== null && batch.linesRoot.toLowerCase() === invoice.root.toLowerCase();
  const checks: BookCheck[] = [
    {
      name: 'Sums, leaves and proofs follow from the units',
      ok: problems.length === 0,
      detail: problems.length === 0 ? `${lines.length} lines computed again` : problems.join('; '),
    },
    {
      name: 'Root: invoice = chain',
      ok: rootOk,
      detail:
        batch === null ? 'No batch was posted.' : rootOk ? invoice.root : `${invoice.root} and ${batch.linesRoot}`,
    },
    await sameCachedFrames(database, key, document),
    ...(await compareBooks(chain, key.jobId, books)),
  ];
  const checked: LineCheck[] = [];
  const sites = await database.asService((tx) => sitesOfFrames(tx, key));
  const isIntact = async (hash: string): Promise<boolean> =>
    isInStore((await stores.of(sites.get(hash) ?? null)).store, key.studioId, hash);
  for (const line of lines) checked.push(await checkLine(isIntact, chain, key, line));
  const ok = checks.every((check) => check.ok) && checked.every(({ proof, frames }) => proof && frames);
  return { ok, checks, lines: checked };
}

/** What the invoice says of unbilled frames is what the record says. */
async function sameCachedFrames(database: Database, key: JobKey, { cached }: Invoice): Promise<BookCheck> {
  const recorded = await database.asService((tx) => framesFromCache(tx, key));
  const stated = cached ?? { count: 0, frames: '' };
  const ok = stated.count === recorded.count && stated.frames === recorded.frames;
  return {
    name: 'Frames from the cache: invoice = record',
    ok,
    detail: ok ? `${stated.count} frames, not billed` : `${stated.frames} and ${recorded.frames}`,
  };
}

async function checkLine(
  isIntact: (hash: string) => Promise<boolean>,
  chain: Chain,
  key: JobKey,
  line: IssuedLine,
): Promise<LineCheck> {
  const units = line.units.map((unit) => ({ ...unit, amount: BigInt(unit.amount) }));
  const leaf: LineLeaf = {
    jobId: key.jobId,
    index: line.line - 1,
    node: line.nodeAccount,
    amount: line.amount,
    unitsRoot: billedUnitsRoot(units),
    salt: line.salt,
  };
  const proof = await chain.verifyLine(leaf, line.proof);
  const wrong: number[] = [];
  for (const { frame, exrHash } of line.units) {
    if (!(await isIntact(exrHash))) wrong.push(frame);
  }
  const count = line.units.length;
  const frames = wrong.length === 0;
  const detail = [
    proof ? 'proved on chain' : 'not proved by the root on chain',
    frames ? `${count} of ${count} frames have the billed hash` : `missing or changed frames: ${wrong.join(', ')}`,
  ].join('; ');
  return { line: line.line, proof, frames, detail };
}

/** Reads the bytes and hashes them again. */
async function isInStore(store: ObjectStore, studioId: string, hash: string): Promise<boolean> {
  try {
    await store.get(studioId, 'frames', hash);
    return true;
  } catch (error) {
    if (error instanceof FarmError && (error.code === 'NotFound' || error.code === 'HashMismatch')) return false;
    throw error;
  }
}
