/** Two studios on one farm: neither sees, lists, fetches or learns of the other's anything. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FarmClient } from '../../cli/sdk/client.ts';
import type { FrameView, JobView } from '../../cli/sdk/types.ts';
import { addStudio } from '../../infra/stack/commands.ts';
import { peekState } from '../../infra/stack/state.ts';
import { allFrames, submitScene, untilFinal } from '../support/farm.ts';
import { type FarmRecord, farmRecord } from '../support/record.ts';
import { writeCube } from '../support/scenes.ts';

const { home, url, key } = inject('farm');
const ours = new FarmClient({ url, key });
const UNKNOWN = '01890000-0000-7000-8000-000000000000';
const SMALL = { frames: '1-2', width: 32, height: 18, samples: 2 };

let folder: string;
let scene: string;
let record: FarmRecord;
let theirs: FarmClient;
let theirKey: string;
let theirStudio: string;
let job: JobView;
let frames: FrameView[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-tenancy-'));
  record = await farmRecord(home);
  const opened = await addStudio({ slug: 'rival', name: 'Rival Pictures', currency: 'EUR' }, { home });
  theirKey = opened.key;
  theirStudio = opened.studioId;
  theirs = new FarmClient({ url, key: theirKey });
  scene = await writeCube(join(folder, 'secret-project.glb'), { variant: 'tenancy' });
  job = await untilFinal(ours, (await submitScene(ours, scene, { ...SMALL, name: 'secret-project' })).id);
  frames = await allFrames(ours, job.id);
});
afterAll(async () => {
  await record?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Status and body of a request, with what differs by request id taken out. */
async function ask(method: string, path: string, asKey: string): Promise<{ status: number; body: string }> {
  const post = method === 'POST';
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${asKey}`, ...(post ? { 'content-type': 'application/json' } : {}) },
    ...(post ? { body: JSON.stringify({ cap: '1000000000000000000000' }) } : {}),
    redirect: 'manual',
  });
  const body = (await response.text()).replaceAll(job.id, 'JOB').replaceAll(UNKNOWN, 'JOB');
  return { status: response.status, body: body.replace(/"(instance|requestId)":"[^"]*",?/g, '') };
}

describe('two studios', () => {
  it('lists nothing of the other', async () => {
    expect((await theirs.jobs()).items).toEqual([]);
    expect((await theirs.me()).studio?.slug).toBe('rival');
    const all = JSON.stringify([await theirs.me(), await theirs.farm(), await theirs.nodes()]);
    expect(all).not.toContain('secret-project');
    expect(all).not.toContain('"demo"');
  });

  it('answers foreign ids exactly like unknown ones', async () => {
    const unit = frames[0]!.unitId;
    const routes: [string, (id: string, unitId: string) => string][] = [
      ['GET', (id) => `/v1/jobs/${id}`],
      ['GET', (id) => `/v1/jobs/${id}/frames`],
      ['GET', (id, unitId) => `/v1/jobs/${id}/frames/${unitId}/urls`],
      ['GET', (id, unitId) => `/v1/jobs/${id}/frames/${unitId}/preview`],
      ['GET', (id) => `/v1/jobs/${id}/files`],
      ['GET', (id) => `/v1/jobs/${id}/outputs`],
      ['GET', (id) => `/v1/jobs/${id}/outputs/film`],
      ['GET', (id) => `/v1/jobs/${id}/events`],
      ['GET', (id) => `/v1/jobs/${id}/why`],
      ['GET', (id) => `/v1/jobs/${id}/invoice`],
      ['GET', (id) => `/v1/jobs/${id}/invoice.pdf`],
      ['GET', (id) => `/v1/jobs/${id}/invoice.csv`],
      ['POST', (id) => `/v1/jobs/${id}/invoice/verify`],
      ['POST', (id) => `/v1/jobs/${id}/prepare`],
      ['POST', (id) => `/v1/jobs/${id}/accept`],
      ['POST', (id) => `/v1/jobs/${id}/decline`],
      ['POST', (id) => `/v1/jobs/${id}/pause`],
      ['POST', (id) => `/v1/jobs/${id}/resume`],
      ['POST', (id) => `/v1/jobs/${id}/cancel`],
      ['POST', (id) => `/v1/jobs/${id}/raise-cap`],
    ];
    for (const [method, path] of routes) {
      const foreign = await ask(method, path(job.id, unit), theirKey);
      const unknown = await ask(method, path(UNKNOWN, UNKNOWN), theirKey);
      expect(foreign.status, `${method} ${path('JOB', 'UNIT')}`).toBe(404);
      expect(foreign.body.replaceAll(unit, 'JOB'), `${method} ${path('JOB', 'UNIT')}`).toBe(unknown.body);
    }
    expect(await ours.job(job.id)).toMatchObject({ status: 'completed' });
  });

  it('asks for the bytes of a known hash as if nobody had them', async () => {
    const { main, items } = await ours.projectFiles(job.id);
    const files = items.map(({ path, sizeBytes, hash }) => ({ path, sizeBytes, hash }));
    const request = { name: 'copy', main, files, ...SMALL };
    const forUs = await ours.createJob(request);
    const forThem = await theirs.createJob(request);
    expect(forUs.missing).toEqual([]);
    expect(forThem.missing.map(({ hash }) => hash)).toEqual(files.map(({ hash }) => hash));
    // Naming the hash without sending the bytes gets nothing either.
    await expect(theirs.prepareJob(forThem.id)).rejects.toMatchObject({ code: 'UploadIncomplete' });
  });

  it('signs addresses for its own objects alone', async () => {
    const own = await untilFinal(theirs, (await submitScene(theirs, scene, { ...SMALL, name: 'own' })).id);
    const [theirFrame] = await allFrames(theirs, own.id);
    const theirUrl = new URL((await theirs.frameUrls(own.id, theirFrame!.unitId)).exr!.url);
    const ourUrl = new URL((await ours.frameUrls(job.id, frames[0]!.unitId)).exr!.url);
    const { items } = await ours.projectFiles(job.id);
    const bytes = new Uint8Array(await (await fetch(items[0]!.url!)).arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(items[0]!.hash);
    expect((await fetch(theirUrl)).status).toBe(200);
    expect((await fetch(ourUrl)).status).toBe(200);
    const forged = new URL(theirUrl);
    forged.pathname = ourUrl.pathname;
    expect((await fetch(forged)).status).toBe(403);
    ourUrl.search = '';
    expect((await fetch(ourUrl)).status).toBe(403);
  });

  it('shows the application role one studio in SQL', async () => {
    const state = peekState(home)!;
    const app = new pg.Client({
      host: '127.0.0.1',
      port: state.ports.database,
      user: 'farm_app',
      password: state.credentials.databaseApp,
      database: 'farm',
    });
    await app.connect();
    try {
      const tables = await record.query(
        // Views stand on these tables, and the application's role may read none of them.
        `SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
          WHERE table_schema = 'farm' AND column_name = 'studio_id' AND table_type = 'BASE TABLE'`,
      );
      expect(tables.length).toBeGreaterThan(15);
      for (const { name } of tables) {
        await app.query('BEGIN');
        await app.query(`SELECT set_config('farm.studio_id', $1, true)`, [theirStudio]);
        const seen = await app.query(
          `SELECT count(*)::int AS count FROM farm."${String(name)}" WHERE studio_id <> $1`,
          [theirStudio],
        );
        expect(seen.rows[0].count, String(name)).toBe(0);
        await app.query('ROLLBACK');
        const unset = await app.query(`SELECT count(*)::int AS count FROM farm."${String(name)}"`);
        expect(unset.rows[0].count, `${String(name)} without a studio`).toBe(0);
      }
      // There is something to hide.
      const [hidden] = await record.query('SELECT count(*)::int AS count FROM farm.units WHERE job_id = $1', [job.id]);
      expect(hidden).toEqual({ count: 2 });
    } finally {
      await app.end();
    }
  });

  it('does nothing without a key or with a wrong one', async () => {
    for (const wrong of ['', 'fw_wrong', `${key}x`]) {
      expect((await ask('GET', '/v1/jobs', wrong)).status).toBe(401);
    }
  });
});
