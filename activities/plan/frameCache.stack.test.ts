/** The frame cache from quote to invoice, with a node that counts what it is asked for. */
import { NodeIO } from '@gltf-transform/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { completeSettings } from '../../domain/settings.ts';
import { getQuote, getVersion, requireJob } from '../../ports/db/jobs.ts';
import type { QuoteRow } from '../../ports/db/tables.ts';
import { type InProcessFarm, type Submitted, startInProcessFarm } from '../../test/replay/inProcessFarm.ts';
import { ScriptedNode } from '../../test/replay/scriptedNode.ts';
import { addStudio } from '../../test/support/rows.ts';
import { cubeScene } from '../../test/support/scenes.ts';
import type { JobKey } from '../services.ts';
import { verifyInvoice } from '../settle/verifyInvoice.ts';
import { type FoundFrames, type LookUp, lookUpFrames } from './lookUpFrames.ts';

let farm: InProcessFarm;
let node: ScriptedNode;

beforeAll(async () => {
  farm = await startInProcessFarm(inject('stack'));
  node = await new ScriptedNode(farm, 'node').start();
});
afterAll(async () => {
  await node?.stop();
  await farm?.stop();
});

/** A sequence of four files, each with a word of its own inside. */
async function sequence(words: string[]): Promise<Submitted> {
  const files = await Promise.all(
    words.map(async (word, index) => {
      const document = await cubeScene();
      document.getRoot().getAsset().generator = word;
      return { path: `shot.000${index + 1}.glb`, bytes: Buffer.from(await new NodeIO().writeBinary(document)) };
    }),
  );
  return { files, main: 'shot.0001.glb', frames: '1-4', cache: true };
}

async function quoted(wishes: Submitted): Promise<{ job: JobKey; quote: QuoteRow }> {
  const job = await farm.submit(wishes);
  await farm.prepare(job);
  const quote = await farm.record.database.asService((tx) => getQuote(tx, job.jobId));
  return { job, quote: quote! };
}

const units = (job: JobKey) =>
  farm.record.query<{ frame: number; cached: boolean; price: string; exr: string }>(
    `SELECT frame, cached, price, artifacts -> 0 ->> 'hash' AS exr FROM units WHERE job_id = $1 ORDER BY frame`,
    [job.jobId],
  );
const linesOf = async (job: JobKey): Promise<number> =>
  (await farm.record.query(`SELECT FROM receipt_lines WHERE job_id = $1`, [job.jobId])).length;

/** What the cache answers for a job's frames, with something changed. */
async function lookUp({ studioId, jobId }: JobKey, change: (input: LookUp) => Partial<LookUp> = () => ({})) {
  const { job, version } = await farm.record.database.asService(async (tx) => ({
    job: await requireJob(tx, jobId),
    version: (await getVersion(tx, jobId))!,
  }));
  const { main, files } = version.manifest;
  const { inspection } = version;
  const settings = completeSettings(job.settings);
  const input: LookUp = { studioId, main, files, inspection, settings, frames: [1, 2, 3, 4], cache: true };
  return lookUpFrames(farm.services, { ...input, ...change(input) });
}
const framesOf = ({ found }: FoundFrames): number[] => [...found.keys()].sort();

describe('frame cache', () => {
  let first: JobKey;
  let second: JobKey;

  it('renders and bills exactly the two frames of version 2 whose files changed', async () => {
    const one = await quoted(await sequence(['a', 'b', 'c', 'd']));
    first = one.job;
    expect(one.quote.cache).toEqual({ frames: '', count: 0, note: null });
    await farm.accept(first);
    await farm.until(first, 'completed');
    expect(node.delivered.splice(0).sort()).toEqual([1, 2, 3, 4]);

    const two = await quoted(await sequence(['a', 'B', 'c', 'D']));
    second = two.job;
    expect(two.quote.cache).toEqual({ frames: '1,3', count: 2, note: null });
    expect(two.quote.total).toBe(two.quote.unitPrice * 2n);
    await farm.accept(second);
    const row = await farm.until(second, 'completed');
    expect(node.delivered.splice(0).sort()).toEqual([2, 4]);
    expect(row).toMatchObject({ committedUnits: 2, cachedUnits: 2, spent: two.quote.total, problem: null });
    expect(await linesOf(second)).toBe(2);
    const [before, after] = [await units(first), await units(second)];
    expect(after.map(({ frame, cached, price }) => ({ frame, cached, free: price === '0' }))).toEqual(
      [1, 2, 3, 4].map((frame) => ({ frame, cached: frame % 2 === 1, free: frame % 2 === 1 })),
    );
    expect([after[0]!.exr, after[2]!.exr]).toEqual([before[0]!.exr, before[2]!.exr]);

    const events = await farm.record.query<{ data: { frame: number; cached: boolean; committed: number } }>(
      `SELECT data FROM job_events WHERE job_id = $1 AND type = 'unit.committed' ORDER BY seq`,
      [second.jobId],
    );
    expect(events.map(({ data }) => [data.cached, data.committed])).toEqual(
      [1, 2, 3, 4].map((count) => [count <= 2, count]),
    );
    const invoice = await farm.record.query<{ cached: unknown }>(
      `SELECT document -> 'cached' AS cached FROM invoices WHERE job_id = $1`,
      [second.jobId],
    );
    expect(invoice).toEqual([{ cached: { count: 2, frames: '1,3' } }]);
    const verification = await verifyInvoice({ ...farm.services, chain: farm.chain }, second);
    expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
    // The database itself refuses to bill a frame of the cache.
    const billed = farm.record.query(
      `INSERT INTO receipt_lines SELECT r.studio_id, u.id, r.job_id, r.node_id, r.chunk_id, r.lease_number, 99, r.chain_id,
         r.contract, r.token, r.token_decimals, 1, now()
       FROM receipt_lines AS r JOIN units AS u USING (studio_id, job_id) WHERE u.job_id = $1 AND u.cached LIMIT 1`,
      [second.jobId],
    );
    await expect(billed).rejects.toMatchObject({ code: 'FW005' });
  });

  it('completes a job that it holds as a whole without a node, a deposit or an invoice', async () => {
    // Nobody takes work any more, but the build that would render is known.
    await node.stop();
    const { job, quote } = await quoted(await sequence(['a', 'B', 'c', 'D']));
    expect(quote).toMatchObject({ total: 0n, suggestedCap: 0n, cache: { frames: '1-4', count: 4 } });
    await farm.accept(job);
    const row = await farm.until(job, 'completed');
    expect(row).toMatchObject({ committedUnits: 0, cachedUnits: 4, spent: 0n, cap: 0n, problem: null });
    expect(row.outputs).toMatchObject({ film: {}, manifest: {} });
    expect(await linesOf(job)).toBe(0);
    expect(await farm.chain.job(job.jobId)).toBeNull();
  });

  it('answers nothing after an input, a setting, the camera, the range or the build changed, nor to another studio', async () => {
    expect(framesOf(await lookUp(second))).toEqual([1, 2, 3, 4]);
    const changed: Record<string, (input: LookUp) => Partial<LookUp>> = {
      samples: ({ settings }) => ({ settings: { ...settings, samples: settings.samples + 1 } }),
      camera: ({ settings }) => ({ settings: { ...settings, camera: 'other' } }),
      layers: ({ settings }) => ({
        settings: { ...settings, output: { ...settings.output, layers: ['beauty', 'depth'] } },
      }),
      inputs: ({ files }) => ({ files: files.map((file) => ({ ...file, hash: 'f'.repeat(64) })) }),
      range: () => ({ frames: [5, 6] }),
    };
    for (const [name, change] of Object.entries(changed)) {
      // Frames 5 and 6 have no file: they are no frames of this shot at all.
      expect([name, framesOf(await lookUp(second, change))]).toEqual([name, []]);
    }
    const studioId = await addStudio(farm.record.database, 'other');
    expect(framesOf(await lookUp(second, () => ({ studioId })))).toEqual([]);
    await farm.record.query(`UPDATE nodes SET engine_build = 'newer'`);
    expect(framesOf(await lookUp(second))).toEqual([]);
    await farm.record.query(`UPDATE nodes SET engine_build = 'scripted'`);
    expect(framesOf(await lookUp(second))).toEqual([1, 2, 3, 4]);
  });

  it('says why it was not asked', async () => {
    const off = await lookUp(second, () => ({ cache: false }));
    expect(off).toMatchObject({ note: expect.stringContaining('switched off') });
    expect(off.inputHashes.size).toBe(0);
    const draft = await lookUp(second, ({ settings }) => ({ settings: { ...settings, technique: 'raycast' } }));
    expect(draft.note).toContain('not kept');
    const other = await new ScriptedNode(farm, 'newer').start();
    await other.stop();
    await farm.record.query(`UPDATE nodes SET engine_build = 'newer' WHERE name = 'newer'`);
    const mixed = await lookUp(second);
    expect([framesOf(mixed), mixed.note]).toEqual([[], expect.stringContaining('same build')]);
    // Frames that it renders now are kept all the same.
    expect(mixed.inputHashes.size).toBe(4);
    await farm.record.query(`UPDATE nodes SET status = 'offline'`);
    expect((await lookUp(second)).note).toContain('online');
    await farm.record.query(`UPDATE nodes SET status = 'online' WHERE name = 'node'`);
  });

  it('renders a frame again whose file is gone from the store', async () => {
    const { found } = await lookUp(second);
    const { studioId, artifacts } = found.get(3)!;
    await farm.services.store.remove(studioId, 'frames', artifacts[0]!.hash);
    expect(framesOf(await lookUp(second))).toEqual([1, 2, 4]);
    const left = await farm.record.query(`SELECT FROM frame_cache WHERE unit_id = $1`, [found.get(3)!.unitId]);
    expect(left).toEqual([]);
  });
});
