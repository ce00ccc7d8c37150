/** From the calibration to an offer with a price, a cap and an end. */
import { FarmError } from '../../domain/errors.ts';
import { formatFrames, parseFrames } from '../../domain/frames.ts';
import { parseBaseUnits } from '../../domain/money/amount.ts';
import { quoteTotals, requireCapForOneUnit, unitPrice, workNanoFbh } from '../../domain/money/pricing.ts';
import { quoteTypedData } from '../../domain/money/quote.ts';
import { completeSettings } from '../../domain/settings.ts';
import { operatorAccount, signTyped } from '../../ports/chain/accounts.ts';
import type { Tx } from '../../ports/db/client.ts';
import { type EstimateDocument, json } from '../../ports/db/documents.ts';
import { currentTariff } from '../../ports/db/studios.ts';
import { setQuoted } from '../../ports/db/submissions.ts';
import type { JobRow } from '../../ports/db/tables.ts';
import { type InspectedSubmission, readJob } from '../intake/inspectSubmission.ts';
import { type FarmServices, inRecord, type JobKey, policyOf } from '../services.ts';
import { lookUpFrames } from './lookUpFrames.ts';
import { needsOf } from './needs.ts';
import { priceOfSites } from './priceOfSites.ts';

/**
 * Prices those of the job's frames that the frame cache lacks from its estimate, signs the offer as the farm's operator and makes the job `quoted`. May be
 * repeated: a job that is quoted already stays as it is.
 * @throws FarmError `CapTooSmall` when the cap that was asked for does not pay for one frame
 */
export async function makeQuote(services: FarmServices, key: JobKey, mnemonic: string): Promise<void> {
  const job = await readJob(services, key);
  if (job.status === 'quoted') return;
  const policy = policyOf(services, job);
  const { inspection, ...submission } = job.submission as InspectedSubmission;
  const { estimate, tariff, studio } = await inRecord(services, async (tx) => ({
    estimate: await estimateOf(tx, job),
    tariff: await currentTariff(tx),
    studio: await tx.selectFrom('studios').selectAll().where('id', '=', key.studioId).executeTakeFirstOrThrow(),
  }));
  if (!tariff) throw new FarmError('ServiceFailed', 'The farm has no tariff yet, so nothing can be priced.');
  const cache = await lookUpFrames(services, {
    ...{ studioId: key.studioId, main: submission.main, files: submission.files, inspection },
    ...{ settings: completeSettings(job.settings), frames: parseFrames(job.frames!), cache: submission.cache },
  });
  const { pricePerFbh, wish } = await inRecord(services, (tx) =>
    priceOfSites(tx, job, needsOf(completeSettings(job.settings)), tariff.pricePerFbh),
  );
  const price = unitPrice(workNanoFbh(estimate.secondsPerFrame, estimate.referenceScore), pricePerFbh);
  const { total, suggestedCap } = quoteTotals(price, job.frameCount! - cache.found.size);
  if (submission.cap !== undefined && total > 0n) requireCapForOneUnit(parseBaseUnits(submission.cap, 'cap'), price);

  // Whole seconds: the signature holds them, and the row must say the same.
  const validUntil = Math.floor(services.clock.now().getTime() / 1000) + Math.ceil(policy.quoteSeconds);
  const signature = await signTyped(
    operatorAccount(mnemonic).key,
    quoteTypedData(
      { chainId: job.chainId, settlement: job.contract },
      { jobId: key.jobId, studio: studio.account, price: total, suggestedCap, pricePerFbh, validUntil },
    ),
  );
  await inRecord(services, async (tx) => {
    await setQuoted(tx, {
      jobId: key.jobId,
      versionManifest: { formatVersion: 1, main: submission.main, files: submission.files, blobs: submission.blobs },
      inspection,
      settings: completeSettings(job.settings),
      frames: job.frames!,
      frameCount: job.frameCount!,
      quote: {
        ...{ total, unitPrice: price, suggestedCap, pricePerFbh, estimate, signature },
        cache: {
          frames: formatFrames([...cache.found.keys()].sort((a, b) => a - b)),
          count: cache.found.size,
          note: cache.note,
        },
        expiresAt: new Date(validUntil * 1000),
        currency: tariff.currency,
        centsPerTokenE6: tariff.centsPerTokenE6,
        taxBasisPoints: tariff.taxBasisPoints,
      },
    });
    // The version holds the lists of files from now on; it may be older than the job, and of another choice.
    const { files: _, frameFiles: __, sequence: ___, ...seen } = inspection;
    const row = tx.updateTable('jobs').set({
      submission: json({ ...submission, seen }),
      placement: json({ ...job.placement, ...(wish ? { wish } : {}) }),
    });
    await row.where('studioId', '=', key.studioId).where('id', '=', key.jobId).execute();
  });
}

async function estimateOf(tx: Tx, job: JobRow): Promise<EstimateDocument> {
  const chunk = await tx
    .selectFrom('chunks')
    .select('result')
    .where('studioId', '=', job.studioId)
    .where('jobId', '=', job.id)
    .where('kind', '=', 'estimate')
    .where('status', '=', 'completed')
    .orderBy('index', 'desc')
    .executeTakeFirst();
  if (!chunk?.result) throw new FarmError('Internal', 'The job was not calibrated.', { job: job.id });
  return chunk.result;
}
