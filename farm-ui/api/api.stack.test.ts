import { createHash, randomBytes } from 'node:crypto';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitUnit } from '../../ports/db/commit.ts';
import { appendEvent, notifyTransient } from '../../ports/db/events.ts';
import {
  accountOf,
  addJob,
  addNode,
  addQuoted,
  addStudio,
  addSubmission,
  artifactsOf,
  deliver,
  fileOf,
  mustClaim,
} from '../../test/support/rows.ts';
import { openTestApi, type TestApi } from './testing/openApi.ts';

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the tests
  body: any;
}

describe('the HTTP API', () => {
  let farm: TestApi;
  let north: { studioId: string; key: string };
  let south: { studioId: string; key: string };

  beforeAll(async () => {
    farm = await openTestApi();
    const studio = async (slug: string) => {
      const studioId = await addStudio(farm.record.database, slug);
      return { studioId, key: await farm.key(studioId, 'td') };
    };
    north = await studio('north');
    south = await studio('south');
  });
  afterAll(() => farm?.close());

  const call = async (
    key: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(farm.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };

  const bytes = randomBytes(2_000);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const submission = (changes: Record<string, unknown> = {}) => ({
    name: 'shot',
    main: 'scene.glb',
    files: [{ path: 'scene.glb', sizeBytes: bytes.length, hash }],
    ...changes,
  });

  describe('who may', () => {
    it.each([
      ['no key', null],
      ['an unknown key', 'fw_unknown'],
    ])('asks %s for a key', async (_, key) => {
      for (const path of ['/v1/jobs', '/v1/me', '/v1/nodes', '/v1/farm', '/v1/events', '/metrics']) {
        const answer = await call(key, 'GET', path);
        expect([path, answer.status, answer.body.code]).toEqual([path, 401, 'Unauthenticated']);
      }
    });

    it('goes by roles', async () => {
      const finance = await farm.key(north.studioId, 'finance');
      expect((await call(finance, 'GET', '/v1/jobs')).status).toBe(200);
      expect(await call(finance, 'POST', '/v1/jobs', submission())).toMatchObject({
        status: 403,
        body: { code: 'Forbidden', place: { role: 'finance' } },
      });
      const operator = await farm.key(null, 'operator');
      expect((await call(operator, 'GET', '/v1/jobs')).status).toBe(403);
      expect((await call(north.key, 'GET', '/metrics')).status).toBe(403);
      const metrics = await call(operator, 'GET', '/metrics');
      expect(metrics.body).toContain('farm_http_seconds_count');
    });

    it('signs a page in by a cookie that scripts cannot read and other sites cannot use', async () => {
      const answer = await call(null, 'POST', '/v1/session', { key: north.key });
      expect(answer).toMatchObject({ status: 200, body: { role: 'td', studio: { slug: 'north' }, balance: '0' } });
      const cookie = answer.headers.get('set-cookie')!;
      expect(cookie).toMatch(/HttpOnly/);
      expect(cookie).toMatch(/SameSite=Strict/);
      const own = { cookie: cookie.split(';')[0]! };
      expect((await call(null, 'GET', '/v1/me', undefined, own)).body.studio.slug).toBe('north');
      const foreign = { ...own, origin: 'https://evil.example' };
      expect(await call(null, 'POST', '/v1/jobs', submission(), foreign)).toMatchObject({ status: 403 });
      expect((await call(null, 'POST', '/v1/jobs', {}, { ...own, origin: farm.url })).body.code).toBe('RequestInvalid');
      expect((await call(null, 'DELETE', '/v1/session', undefined, own)).headers.get('set-cookie')).toMatch(
        /framewright=;/,
      );
      expect((await call(null, 'POST', '/v1/session', { key: 'wrong' })).status).toBe(401);
    });
  });

  describe('a submission', () => {
    it('says which bytes the store lacks, and takes exactly those', async () => {
      const { status, body } = await call(north.key, 'POST', '/v1/jobs', submission({ frames: '1-10x3' }));
      expect(status).toBe(201);
      expect(body.missing).toHaveLength(1);
      const [{ url, headers }] = body.missing;
      const other = Buffer.from(bytes.map((byte) => byte ^ 1));
      expect((await fetch(url, { method: 'PUT', body: other, headers })).status).toBe(400);
      expect((await fetch(url, { method: 'PUT', body: bytes, headers })).status).toBe(200);
      const job = await call(north.key, 'GET', `/v1/jobs/${body.id}`);
      expect(job.body).toMatchObject({
        status: 'uploading',
        frameRange: '1-10x3',
        frames: { total: 4, committed: 0 },
        quote: null,
        spent: '0',
      });
      expect((await call(north.key, 'POST', `/v1/jobs/${body.id}/decline`)).status).toBe(204);
      expect((await call(north.key, 'GET', `/v1/jobs/${body.id}`)).body.code).toBe('JobNotFound');
      expect(await farm.store.stat(north.studioId, 'blobs', hash)).toBeNull();
    });

    it('may be sent ahead, blob by blob, and goes on where an upload broke off', async () => {
      const [first, second] = [randomBytes(900), randomBytes(800)];
      const blobOf = (data: Buffer) => ({
        hash: createHash('sha256').update(data).digest('hex'),
        sizeBytes: data.length,
      });
      const blobs = [first!, second!].map(blobOf);
      const ask = async () => (await call(north.key, 'POST', '/v1/blobs/missing', { blobs })).body.missing;
      const asked = await ask();
      expect(asked.map((blob: { hash: string }) => blob.hash)).toEqual(blobs.map((blob) => blob.hash));
      expect((await fetch(asked[0].url, { method: 'PUT', body: first! })).status).toBe(200);
      expect((await ask()).map((blob: { hash: string }) => blob.hash)).toEqual([blobs[1]!.hash]);
      expect((await call(south.key, 'POST', '/v1/blobs/missing', { blobs })).body.missing).toHaveLength(2);

      const whole = blobOf(Buffer.concat([first!, second!.subarray(100)]));
      const parts = [
        { blob: blobs[0]!.hash, offset: 0, sizeBytes: 900 },
        { blob: blobs[1]!.hash, offset: 100, sizeBytes: 700 },
      ];
      const request = submission({ files: [{ path: 'scene.glb', ...whole, parts }], blobs });
      const { body } = await call(north.key, 'POST', '/v1/jobs', request);
      expect(body.missing.map((blob: { hash: string }) => blob.hash)).toEqual([blobs[1]!.hash]);
      const files = await call(north.key, 'GET', `/v1/jobs/${body.id}/files`);
      expect(files.body.items).toEqual([{ path: 'scene.glb', ...whole, parts, url: null }]);
      expect(Object.keys(files.body.blobs).sort()).toEqual(blobs.map((blob) => blob.hash).sort());
      expect(await (await fetch(files.body.blobs[blobs[0]!.hash])).arrayBuffer()).toHaveProperty('byteLength', 900);

      expect((await call(north.key, 'POST', `/v1/jobs/${body.id}/decline`)).status).toBe(204);
      expect(await farm.store.stat(north.studioId, 'blobs', blobs[0]!.hash)).toBeNull();
    });

    it.each([
      ['of an unknown blob', [{ blob: 'b'.repeat(64), offset: 0, sizeBytes: 10 }]],
      ['beyond its blob', [{ blob: 'a'.repeat(64), offset: 5, sizeBytes: 10 }]],
      ['of another size than the file', [{ blob: 'a'.repeat(64), offset: 0, sizeBytes: 9 }]],
    ])('is refused for parts %s', async (_, parts) => {
      const files = [{ path: 'scene.glb', sizeBytes: 10, hash, parts }];
      const blobs = [{ hash: 'a'.repeat(64), sizeBytes: 12 }];
      const answer = await call(north.key, 'POST', '/v1/jobs', submission({ files, blobs }));
      expect(answer.body).toMatchObject({ code: 'RequestInvalid', place: { path: 'scene.glb' } });
    });

    it('is checked before anything is read', async () => {
      const { files, ...rest } = submission({ frames: '10-1' });
      const named = files.map(({ path, sizeBytes }) => ({ path, sizeBytes }));
      const check = (changes: object) =>
        call(north.key, 'POST', '/v1/jobs/check', { ...rest, frames: '1-10', files: named, ...changes });
      expect((await check({})).status).toBe(204);
      expect((await check({ frames: '10-1' })).body.code).toBe('FrameRangeInvalid');
      expect((await check({ files: [...named, { path: 'Scene.glb', sizeBytes: 1 }] })).body.code).toBe('NameInvalid');
    });

    it.each([
      ['an unknown main file', { main: 'other.glb' }, 'FileNotFound'],
      ['an empty scene', { files: [{ path: 'scene.glb', sizeBytes: 0, hash }] }, 'FileEmpty'],
      ['no scene format', { main: 'a.txt', files: [{ path: 'a.txt', sizeBytes: 1, hash }] }, 'SceneUnsupported'],
      ['a path that leaves the project', { files: [{ path: '../scene.glb', sizeBytes: 1, hash }] }, 'NameInvalid'],
      ['unknown frame syntax', { frames: '1..10' }, 'FrameRangeInvalid'],
      ['a reversed range', { frames: '10-1' }, 'FrameRangeInvalid'],
      ['a million frames', { frames: '1-1000000', cap: '1' }, 'FrameRangeTooLarge'],
      ['no width', { width: 0, height: 10 }, 'ResolutionInvalid'],
      ['an absurd resolution', { width: 1_000_000, height: 10 }, 'ResolutionInvalid'],
      ['a template without a frame', { template: '{shot}.{ext}' }, 'TemplateInvalid'],
      ['a cap of nothing', { cap: '0' }, 'CapTooSmall'],
      ['a hash that is none', { files: [{ path: 'scene.glb', sizeBytes: 1, hash: 'abc' }] }, 'RequestInvalid'],
      ['no files', { files: [] }, 'RequestInvalid'],
    ])('is refused for %s, and nothing is kept', async (_, changes, code) => {
      const before = await farm.record.countRows();
      const answer = await call(north.key, 'POST', '/v1/jobs', submission(changes));
      expect(answer.body.code).toBe(code);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body).toMatchObject({ status: answer.status, fault: 'user', remedy: expect.stringMatching(/./) });
      expect(await farm.record.countRows()).toEqual(before);
    });

    it('points at the field', async () => {
      const answer = await call(north.key, 'POST', '/v1/jobs', submission({ fps: 'fast' }));
      expect(answer).toMatchObject({ status: 400, body: { code: 'RequestInvalid', place: { field: 'fps' } } });
      const broken = await fetch(`${farm.url}/v1/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${north.key}`, 'content-type': 'application/json' },
        body: '{"name":',
      });
      expect([broken.status, ((await broken.json()) as { code: string }).code]).toEqual([400, 'RequestInvalid']);
    });
  });

  describe('an Idempotency-Key', () => {
    it('makes a repetition answer what was answered, and do nothing', async () => {
      const key = { 'idempotency-key': randomBytes(8).toString('hex') };
      const first = await call(north.key, 'POST', '/v1/jobs', submission(), key);
      const second = await call(north.key, 'POST', '/v1/jobs', submission(), key);
      expect(second.body).toEqual(first.body);
      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      const different = await call(north.key, 'POST', '/v1/jobs', submission({ name: 'other' }), key);
      expect(different).toMatchObject({ status: 409, body: { code: 'IdempotencyConflict' } });
      const elsewhere = await call(south.key, 'POST', '/v1/jobs', submission(), key);
      expect(elsewhere.status).toBe(201);
      expect(elsewhere.body.id).not.toBe(first.body.id);
    });

    it('replays a refusal as a refusal', async () => {
      const key = { 'idempotency-key': randomBytes(8).toString('hex') };
      const first = await call(north.key, 'POST', '/v1/jobs', submission({ frames: 'x' }), key);
      const second = await call(north.key, 'POST', '/v1/jobs', submission({ frames: 'x' }), key);
      expect(second).toMatchObject({ status: first.status, body: first.body });
      expect(second.headers.get('content-type')).toContain('problem+json');
    });
  });

  describe('a quote', () => {
    it('is accepted once, with money that is there', async () => {
      const { database } = farm.record;
      const jobId = await addQuoted(database, { studioId: north.studioId, frames: 5, unitPrice: 100n });
      const shown = await call(north.key, 'GET', `/v1/jobs/${jobId}`);
      expect(shown.body).toMatchObject({
        status: 'quoted',
        version: 1,
        quote: { total: '500', unitPrice: '100', units: 5, currency: 'EUR', token: { symbol: 'CMP' } },
      });
      const poor = await call(north.key, 'POST', `/v1/jobs/${jobId}/accept`, {});
      expect(poor).toMatchObject({ status: 402, body: { code: 'FundsMissing', place: { needed: '500' } } });
      const { money } = farm;
      await money.send(await money.chain.prepareTransfer(money.operator.key, accountOf('north'), 10_000n));
      const small = await call(north.key, 'POST', `/v1/jobs/${jobId}/accept`, { cap: '99' });
      expect(small.body.code).toBe('CapTooSmall');
      const accepted = await call(north.key, 'POST', `/v1/jobs/${jobId}/accept`, { cap: '300' });
      expect(accepted.body).toMatchObject({ status: 'active', cap: '300' });
      expect((await call(north.key, 'POST', `/v1/jobs/${jobId}/accept`, {})).body.code).toBe('QuoteTaken');
      const orders = await farm.record.query<{ topic: string }>('SELECT topic FROM outbox WHERE payload ->> $1 = $2', [
        'workflowId',
        jobId,
      ]);
      expect(orders).toEqual([{ topic: 'start-workflow' }]);
    });

    it('that is declined leaves a cancelled job', async () => {
      const jobId = await addQuoted(farm.record.database, { studioId: north.studioId });
      expect((await call(north.key, 'POST', `/v1/jobs/${jobId}/decline`)).status).toBe(204);
      expect((await call(north.key, 'GET', `/v1/jobs/${jobId}`)).body.status).toBe('cancelled');
      expect((await call(north.key, 'POST', `/v1/jobs/${jobId}/accept`, {})).body.code).toBe('JobStateConflict');
    });
  });

  it('steers a job: pause, resume, raise the cap, cancel, each with an order to its workflow', async () => {
    const { database } = farm.record;
    const { jobId } = await addJob(database, { studioId: north.studioId, frames: 2 });
    const post = (verb: string, body?: unknown) => call(north.key, 'POST', `/v1/jobs/${jobId}/${verb}`, body);
    expect((await post('pause')).body).toMatchObject({ status: 'paused', pauseReason: 'user' });
    expect((await post('resume')).body).toMatchObject({ status: 'active', pauseReason: null });
    expect((await post('raise-cap', { cap: '20' })).body.code).toBe('CapTooSmall');
    const before = (await post('pause')).body.cap;
    await post('resume');
    // The record follows the money, which the workflow brings into escrow.
    expect((await post('raise-cap', { cap: '500' })).body).toMatchObject({ cap: before });
    expect((await post('cancel')).body).toMatchObject({ status: 'stopping' });
    expect((await post('pause')).body).toMatchObject({ code: 'JobStateConflict', place: { from: 'stopping' } });
    const orders = await farm.record.query<{ signal: string }>(
      `SELECT concat_ws(' ', payload ->> 'signal', payload -> 'args' ->> 0) AS signal FROM outbox WHERE topic = 'signal-workflow' AND payload ->> 'workflowId' = $1
       ORDER BY id`,
      [jobId],
    );
    expect(orders.map(({ signal }) => signal)).toEqual([
      ...['pauseJob', 'resumeJob', 'pauseJob', 'resumeJob', 'capRaised 500', 'cancelJob'],
    ]);
  });

  it('shows frames, and addresses of committed ones only', async () => {
    const { database } = farm.record;
    const { jobId } = await addJob(database, { studioId: north.studioId, frames: 3, priority: 5 });
    const node = await addNode(database, 'painter');
    const lease = await mustClaim(database, node);
    const [one, two] = lease.units;
    const exr = randomBytes(500);
    const stored = await farm.store.put(north.studioId, 'frames', exr, 'image/x-exr');
    const artifacts = [{ kind: 'exr' as const, ...stored }, artifactsOf(one!.unitId)[1]!];
    await deliver(database, lease, node.id, one!.unitId, artifacts);
    await deliver(database, lease, node.id, two!.unitId);
    await database.asService((tx) => commitUnit(tx, { unitId: one!.unitId, leaseNumber: lease.leaseNumber }));

    const first = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames?limit=2`);
    expect(first.body.items).toMatchObject([
      { frame: 1, status: 'committed', node: 'painter', exr: stored, name: 'shot.0001.exr' },
      { frame: 2, status: 'uploaded', exr: null, preview: null },
    ]);
    const second = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ frame: 3 }], nextCursor: null });
    const urls = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${one!.unitId}/urls`);
    expect(Buffer.from(await (await fetch(urls.body.exr.url)).arrayBuffer())).toEqual(exr);
    const redirect = await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${one!.unitId}/exr`);
    expect(redirect.status).toBe(302);
    expect((await fetch(redirect.headers.get('location')!)).headers.get('content-type')).toBe('image/x-exr');
    expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/frames/${two!.unitId}/preview`)).status).toBe(404);
    expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/outputs`)).body.film).toBeNull();
    expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/outputs/film`)).status).toBe(404);
    const { body } = await call(north.key, 'GET', `/v1/jobs/${jobId}`);
    expect(body.frames).toEqual({ total: 3, committed: 1, rendering: 2, failed: 0, billed: 1, cached: 0 });
    expect((await call(north.key, 'GET', `/v1/jobs/${jobId}/why`)).body.reasons[0].code).toBe('Rendering');
    const nodes = (await call(north.key, 'GET', '/v1/nodes')).body.items;
    expect(nodes).toContainEqual(expect.objectContaining({ name: 'painter', working: true, site: 'local' }));
  });

  describe('two studios', () => {
    it('get the same answer for what is foreign as for what is not there', async () => {
      const { database } = farm.record;
      const { jobId } = await addJob(database, { studioId: north.studioId, offered: false });
      const unitId = (await farm.record.query<{ id: string }>('SELECT id FROM units WHERE job_id = $1', [jobId]))[0]!
        .id;
      const nothing = '01980000-0000-7000-8000-0123456789ab';
      const strip = ({ status, body }: Answer, id: string) => ({
        status,
        body: JSON.stringify(body).replaceAll(id, 'ID'),
      });
      const paths: [string, string][] = [
        ['GET', ''],
        ['GET', '/frames'],
        ['GET', `/frames/${unitId}/urls`],
        ['GET', `/frames/${unitId}/preview`],
        ['GET', '/outputs'],
        ['GET', '/outputs/film'],
        ['GET', '/events'],
        ['GET', '/why'],
        ['GET', '/invoice'],
        ['GET', '/invoice.pdf'],
        ['GET', '/invoice.csv'],
        ['POST', '/invoice/verify'],
        ['POST', '/prepare'],
        ['POST', '/accept'],
        ['POST', '/decline'],
        ['POST', '/pause'],
        ['POST', '/resume'],
        ['POST', '/cancel'],
      ];
      for (const [method, path] of paths) {
        const foreign = await call(south.key, method, `/v1/jobs/${jobId}${path}`);
        const unknown = await call(south.key, method, `/v1/jobs/${nothing}${path}`);
        expect([path, foreign.status]).toEqual([path, 404]);
        expect(strip(foreign, jobId)).toEqual(strip(unknown, nothing));
      }
      const raise = await call(south.key, 'POST', `/v1/jobs/${jobId}/raise-cap`, { cap: '99999' });
      expect(raise.status).toBe(404);
      const listed = await call(south.key, 'GET', '/v1/jobs?limit=200');
      expect(listed.body.items.map(({ id }: { id: string }) => id)).not.toContain(jobId);
      expect((await call(south.key, 'GET', '/v1/jobs/not-an-id')).body.code).toBe('JobNotFound');
    });

    it('are asked for bytes that the other has', async () => {
      const file = fileOf('shared.glb');
      await addQuoted(farm.record.database, { studioId: north.studioId, name: 'shared', files: [file] });
      const submit = (key: string) => call(key, 'POST', '/v1/jobs', submission({ main: file.path, files: [file] }));
      expect((await submit(north.key)).body.missing).toEqual([]);
      const other = (await submit(south.key)).body.missing;
      expect(other).toHaveLength(1);
      expect(other[0].url).toContain(south.studioId);
      expect(other[0].url).not.toContain(north.studioId);
    });
  });

  describe('server-sent events', () => {
    const listen = async (key: string, path: string, headers: Record<string, string> = {}) => {
      const closing = new AbortController();
      const response = await fetch(farm.url + path, {
        headers: { authorization: `Bearer ${key}`, ...headers },
        signal: closing.signal,
      });
      const events: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (event) => events.push(event) });
      const decoder = new TextDecoder();
      const reading = (async () => {
        for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
          parser.feed(decoder.decode(part, { stream: true }));
        }
      })().catch(() => undefined);
      return {
        response,
        events,
        async until(enough: () => boolean) {
          while (!enough()) await new Promise((resolve) => setTimeout(resolve, 10));
        },
        async close() {
          closing.abort();
          await reading;
        },
      };
    };
    const log = (studioId: string, jobId: string, line: string) =>
      farm.record.database.asService((tx) =>
        appendEvent(tx, { studioId, jobId, type: 'log', data: { node: null, line } }),
      );

    it('tell what was missed and what happens, in order, without gaps or repetition', async () => {
      const { studioId } = north;
      const jobId = await addSubmission(farm.record.database, { studioId });
      for (let n = 0; n < 20; n++) await log(studioId, jobId, `before ${n}`);
      const stream = await listen(north.key, `/v1/jobs/${jobId}/events`);
      expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
      await Promise.all(Array.from({ length: 30 }, (_, n) => log(studioId, jobId, `during ${n}`)));
      const last = (await log(studioId, jobId, 'last')) as number;
      await stream.until(() => stream.events.at(-1)?.id === String(last));
      expect(stream.events.map(({ id }) => Number(id))).toEqual(Array.from({ length: last }, (_, n) => n + 1));
      await stream.close();

      const resumed = await listen(north.key, `/v1/jobs/${jobId}/events?after=1`, {
        'last-event-id': String(last - 2),
      });
      await resumed.until(() => resumed.events.length >= 2);
      expect(resumed.events.map(({ id }) => Number(id))).toEqual([last - 1, last]);
      expect(JSON.parse(resumed.events[1]!.data)).toMatchObject({
        seq: last,
        jobId,
        type: 'log',
        data: { line: 'last' },
      });
      await farm.record.database.asService((tx) =>
        notifyTransient(tx, {
          studioId,
          jobId,
          type: 'stage.progress',
          data: { stage: 'render', fraction: 0.5 },
        }),
      );
      await resumed.until(() => resumed.events.length >= 3);
      expect(resumed.events[2]).toMatchObject({ id: undefined, event: 'stage.progress' });
      await resumed.close();
    });

    it("tell a studio of its jobs' changes, and of no others", async () => {
      const stream = await listen(north.key, '/v1/events');
      const foreign = await addSubmission(farm.record.database, { studioId: south.studioId });
      const own = await addSubmission(farm.record.database, { studioId: north.studioId });
      await log(north.studioId, own, 'not for lists');
      await call(north.key, 'POST', `/v1/jobs/${own}/decline`);
      const quoted = await addQuoted(farm.record.database, { studioId: north.studioId });
      const jobs = () => stream.events.map(({ data }) => JSON.parse(data) as { jobId: string; type: string });
      await stream.until(() => jobs().some(({ jobId, type }) => jobId === quoted && type === 'quote.made'));
      expect(jobs().some(({ jobId }) => jobId === foreign)).toBe(false);
      expect(jobs().some(({ type }) => type === 'log')).toBe(false);
      await stream.close();
    });
  });

  it('says whether it is alive and ready, and knows no other addresses', async () => {
    expect(await call(null, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await call(null, 'GET', '/readyz')).toMatchObject({ status: 200, body: { services: { store: 'ok' } } });
    expect(await call(null, 'GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    const description = await call(null, 'GET', '/openapi.json');
    expect(description.body.openapi).toBe('3.1.0');
  });
});
