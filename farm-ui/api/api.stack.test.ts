import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Wallet } from 'ethers';
import { afterAll, describe, expect, it } from 'vitest';
import { visible } from '../../domain/text.ts';
import { GATEWAY_VERSION, joinMessage } from '../../ports/gateway/protocol.ts';
import { accountOf, addJob, addQuoted } from '../../test/support/rows.ts';
import { JOIN_TOKEN } from './testing/openApi.ts';
import { openTwoStudios } from './testing/twoStudios.ts';

const { farm, north, south, call } = await openTwoStudios();
afterAll(() => farm.close());

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
    [
      'a file that is also a folder',
      { files: [...submission().files, { path: 'scene.glb/a', sizeBytes: 1, hash }] },
      'NameInvalid',
    ],
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

describe('text that no record can keep', () => {
  const files = (path: string) => ({ main: path, files: [{ path, sizeBytes: bytes.length, hash }] });
  const requests: [string, string, string, object | undefined][] = [
    ['half a character in a path', 'POST', '/v1/jobs', submission(files('x\ud800y.glb'))],
    ['a NUL in a path', 'POST', '/v1/jobs', submission(files('x\0y.glb'))],
    ['a NUL in the main file', 'POST', '/v1/jobs', submission({ main: 'x\0y.glb' })],
    ...['\0', '\ud800', '\u001b[31m', '\u009b31m', 'a\nb'].flatMap((text): typeof requests => [
      [`${visible(text)} in a name`, 'POST', '/v1/jobs', submission({ name: `a${text}` })],
      [`${visible(text)} in a template`, 'POST', '/v1/jobs', submission({ template: `{frame}.{ext}${text}` })],
    ]),
    ...['\0', '\udfff'].flatMap((text): typeof requests => [
      [`${visible(text)} as a camera`, 'POST', '/v1/jobs', submission({ camera: text })],
      [`${visible(text)} as a scene`, 'POST', '/v1/jobs', submission({ scene: text })],
      [`${visible(text)} as a variant`, 'POST', '/v1/jobs', submission({ variant: text })],
      [`${visible(text)} as frames`, 'POST', '/v1/jobs', submission({ frames: text })],
      [`${visible(text)} as a layer`, 'POST', '/v1/jobs', submission({ output: { layers: [text] } })],
      [`${visible(text)} as a site`, 'POST', '/v1/jobs', submission({ placement: { sites: [text] } })],
      [`${visible(text)} as a country`, 'POST', '/v1/jobs', submission({ placement: { country: text } })],
    ]),
    ['a NUL in an address', 'GET', '/v1/jobs/%00', undefined],
    ['a NUL in a cursor', 'GET', '/v1/jobs?cursor=%00', undefined],
    ['a broken escape in an address', 'GET', '/v1/jobs/%zz', undefined],
    ['a parameter too long', 'GET', `/v1/jobs/${'a'.repeat(300)}/frames`, undefined],
  ];

  it.each(requests)('is refused as a problem: %s', async (_, method, path, body) => {
    const first = { 'idempotency-key': randomBytes(8).toString('hex') };
    // Twice: a refusal is kept for its repetition.
    for (const headers of [first, first]) {
      const answer = await call(north.key, method, path, body, headers);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body).toMatchObject({ status: answer.status, fault: 'user', remedy: expect.stringMatching(/./) });
      // For people to read, on a terminal too.
      expect(Object.values(answer.body.place).join() + answer.body.detail).not.toMatch(/[^\P{Cc}\n\t]|\p{Cs}/u);
    }
    const [route] = path === '/v1/jobs' ? ['/v1/jobs/check'] : [];
    if (!route) return;
    const { files, ...wishes } = body as ReturnType<typeof submission>;
    const named = files.map(({ path, sizeBytes }) => ({ path, sizeBytes }));
    const checked = await call(north.key, 'POST', route, { ...wishes, files: named });
    expect([checked.status, checked.body.code]).not.toEqual([204, undefined]);
  });
});

it.each([
  ['no HTTP', 'SUBMIT shot.glb\r\n\r\n', 400],
  ['a header too long', `GET /v1/me HTTP/1.1\r\nhost: farm\r\nx-note: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
])('answers with a problem to %s', async (_, bytes, status) => {
  const { hostname, port } = new URL(farm.url);
  const socket = connect(Number(port), hostname);
  socket.end(bytes);
  const [head, body] = (await text(socket)).split('\r\n\r\n');
  expect(head).toContain(`HTTP/1.1 ${status} `);
  expect(head!.toLowerCase()).toContain('content-type: application/problem+json');
  expect(head!.toLowerCase()).toContain(`content-length: ${body!.length}`);
  expect(JSON.parse(body!)).toMatchObject({ status, code: 'RequestInvalid', fault: 'user', retryable: false });
});

it('refuses a node that says what no record can keep', async () => {
  const wallet = Wallet.createRandom();
  const issuedAt = new Date().toISOString();
  const join = (site: string, device: string) =>
    call(null, 'POST', '/node/v1/join', {
      ...{ version: GATEWAY_VERSION, joinToken: JOIN_TOKEN, name: 'odd', site, account: wallet.address, issuedAt },
      signature: wallet.signMessageSync(joinMessage('odd', wallet.address, issuedAt)),
      probe: { engine: 'e', build: 'b', tier: 'cpu', device, threads: 1, memoryBytes: 1, score: 1 },
    });
  const refusal = { status: 400, body: { code: 'RequestInvalid', fault: 'user' } };
  expect(await join('lab', 'a GPU\0')).toMatchObject(refusal);
  expect(await join('lab\n', 'a GPU')).toMatchObject({ ...refusal, body: { place: { field: 'site' } } });
  expect((await join('lab', 'a GPU')).status).toBe(200);
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

it('says whether it is alive and ready, and knows no other addresses', async () => {
  expect(await call(null, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await call(null, 'GET', '/readyz')).toMatchObject({ status: 200, body: { services: { store: 'ok' } } });
  expect(await call(null, 'GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'NotFound' } });
  const description = await call(null, 'GET', '/openapi.json');
  expect(description.body.openapi).toBe('3.1.0');
});
