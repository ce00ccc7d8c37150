import { NodeIO } from '@gltf-transform/core';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JobKey } from '../activities/services.ts';
import type { Problem } from '../domain/errors.ts';
import { quoteTypedData } from '../domain/money/quote.ts';
import { isSignedBy } from '../ports/chain/accounts.ts';
import { getQuote } from '../ports/db/jobs.ts';
import { jobParts } from '../ports/db/queries/jobs.ts';
import { type InProcessFarm, type Submitted, startInProcessFarm } from '../test/replay/inProcessFarm.ts';
import { ScriptedNode } from '../test/replay/scriptedNode.ts';
import { addNode } from '../test/support/rows.ts';
import { cubeScene } from '../test/support/scenes.ts';

let farm: InProcessFarm;
let node: ScriptedNode | null = null;

beforeAll(async () => {
  farm = await startInProcessFarm(inject('stack'), { operatorPolicy: { calibrationWaitSeconds: 2 } });
});
afterEach(async () => {
  await node?.stop();
  node = null;
  await farm.record.query(`UPDATE nodes SET status = 'offline'`);
});
afterAll(async () => {
  await farm?.stop();
});

/** The problem with which `prepareJob` failed. */
async function problemOf(job: JobKey): Promise<Problem> {
  const error = await farm.prepare(job).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return (cause as ApplicationFailure).details![0] as Problem;
}

async function listObjects(): Promise<string[]> {
  const hashes: string[] = [];
  for await (const { hash } of farm.services.store.list(farm.studioId)) hashes.push(hash);
  return hashes.sort();
}

describe('prepareJob', () => {
  it('quotes what the whole scene costs, signed by the operator', async () => {
    node = await new ScriptedNode(farm, 'calibrator').start();
    const job = await farm.submit();
    await farm.prepare(job);
    const row = await farm.row(job);
    // A second of animation at the default 24 frames a second, its last instant included.
    expect(row).toMatchObject({ status: 'quoted', frames: '1-25', frameCount: 25 });
    expect(row.settings).toMatchObject({ width: 16, height: 9, samples: 4, camera: 'main', fps: 24, start: 1 });
    expect(row.submission).not.toHaveProperty('inspection');
    const quote = await farm.record.database.asService((tx) => getQuote(tx, job.jobId));
    // One second a frame is 277,777 billionths of an FBh, rounded down, at 3600 CMP each.
    expect(quote).toMatchObject({
      unitPrice: 999_997_200_000_000_000n,
      total: 25n * 999_997_200_000_000_000n,
      currency: 'EUR',
    });
    const { deployment } = farm.chain;
    const signed = quoteTypedData(
      { chainId: deployment.chainId, settlement: deployment.settlement },
      {
        jobId: job.jobId,
        studio: (await farm.record.query<{ account: string }>('SELECT account FROM studios'))[0]!.account,
        price: quote!.total,
        suggestedCap: quote!.suggestedCap,
        pricePerFbh: quote!.pricePerFbh,
        validUntil: quote!.expiresAt.getTime() / 1000,
      },
    );
    expect(isSignedBy(deployment.operator, signed, quote!.signature!)).toBe(true);
    const [version] = await farm.record.query<{ inspection: object }>('SELECT inspection FROM project_versions');
    expect(version!.inspection).toMatchObject({ engine: 'pathtracer', triangles: 12 });
  });

  it('looks at the scene that a job asks for, also where another job of the same files asked for another', async () => {
    node = await new ScriptedNode(farm, 'chooser').start();
    const document = await cubeScene();
    const root = document.getRoot();
    root.getAsset().generator = 'two scenes';
    const [cube] = root.listNodes();
    document.createScene('still').addChild(document.createNode('twin').setMesh(cube!.getMesh()));
    const bytes = Buffer.from(await new NodeIO().writeBinary(document));
    const quoted = async (wishes: Submitted) => {
      const job = await farm.submit({ name: 'two scenes', bytes, ...wishes });
      await farm.prepare(job);
      const row = await farm.row(job);
      const [parts] = await farm.record.database.asService((tx) => jobParts(tx, [row]));
      const { cameras, warnings } = parts!.inspection!;
      return {
        frames: row.frames,
        version: parts!.version,
        cameras: cameras.length,
        warned: warnings.map(({ code }) => code),
      };
    };
    expect(await quoted({})).toEqual({ frames: '1-25', version: 1, cameras: 1, warned: ['NoLight'] });
    expect(await quoted({ scene: 'still' })).toEqual({
      ...{ frames: '1', version: 1, cameras: 0, warned: ['NoCamera', 'NoLight'] },
    });
  });

  it.each([
    ['SceneInvalid', { bytes: Buffer.from('this is no scene') }],
    ['CameraUnknown', { camera: 'none such' }],
    ['CapTooSmall', { cap: '5' }],
  ])('refuses with %s, and nothing of the submission is left', async (code, wishes) => {
    node = await new ScriptedNode(farm, `calibrator-of-${code}`).start();
    const before = { rows: await farm.record.countRows(), objects: await listObjects() };
    const bytes = 'bytes' in wishes ? wishes.bytes : await uniqueScene(code);
    const job = await farm.submit({ ...wishes, bytes });
    expect((await listObjects()).length).toBe(before.objects.length + 1);
    expect(await problemOf(job)).toMatchObject({ code, fault: 'user', retryable: false });
    expect(await farm.record.countRows()).toEqual(before.rows);
    expect(await listObjects()).toEqual(before.objects);
  });

  it('waits for missing uploads: the submission stays, and can be prepared once they are there', async () => {
    node = await new ScriptedNode(farm, 'patient').start();
    const bytes = await uniqueScene('late');
    const job = await farm.submit({ bytes, missing: true });
    expect(await problemOf(job)).toMatchObject({ code: 'UploadIncomplete', place: { file: 'scene.glb' } });
    expect(await farm.row(job)).toMatchObject({ status: 'uploading', problem: { code: 'UploadIncomplete' } });
    await farm.services.store.put(farm.studioId, 'blobs', bytes, 'model/gltf-binary');
    await farm.prepare(job);
    expect(await farm.row(job)).toMatchObject({ status: 'quoted', problem: null });
  });

  it('says that no node is online, and keeps the submission for later', async () => {
    const job = await farm.submit({ bytes: await uniqueScene('lonely') });
    expect(await problemOf(job)).toMatchObject({
      code: 'ServiceFailed',
      message: expect.stringContaining('No node is online'),
    });
    expect((await farm.row(job)).status).toBe('uploading');
    node = await new ScriptedNode(farm, 'latecomer').start();
    await farm.prepare(job);
    expect((await farm.row(job)).status).toBe('quoted');
  });

  it('names the site that a job is pinned to when no node is online there', async () => {
    node = await new ScriptedNode(farm, 'elsewhere').start();
    await addNode(farm.record.database, 'alive', {}, 'berlin');
    await farm.record.query(`UPDATE sites SET status = 'lost' WHERE name = 'berlin'`);
    const job = await farm.submit({ bytes: await uniqueScene('pinned'), policy: { calibrationWaitSeconds: 0.3 } });
    await farm.record.query(
      `UPDATE jobs SET placement = '{"wish": {"objective": "finish", "sites": ["berlin"]}}' WHERE id = $1`,
      [job.jobId],
    );
    expect(await problemOf(job)).toMatchObject({
      code: 'PinnedSiteAway',
      message: 'No node can take the job where it is pinned to: berlin is lost.',
    });
    expect((await farm.row(job)).status).toBe('uploading');
  });

  it('leaves a job alone that is quoted already', async () => {
    node = await new ScriptedNode(farm, 'once').start();
    const job = await farm.submit({ bytes: await uniqueScene('twice') });
    await farm.prepare(job);
    const before = await farm.row(job);
    expect(await problemOf(job)).toMatchObject({ code: 'JobStateConflict' });
    expect(await farm.row(job)).toEqual(before);
  });
});

/** A scene whose bytes no other test uploads. */
async function uniqueScene(name: string): Promise<Buffer> {
  const scene = await cubeScene();
  scene.getRoot().getAsset().generator = name;
  return Buffer.from(await new NodeIO().writeBinary(scene));
}
