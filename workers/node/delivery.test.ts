import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FarmError } from '../../domain/errors.ts';
import type { GatewayClient } from '../../ports/gateway/client.ts';
import type { Lease, LeaseUnit } from '../../ports/gateway/protocol.ts';
import type { RenderedUnit } from '../../renderer/engine.ts';
import { type DeliveryDeps, startDelivery } from './delivery.ts';
import { StoreSilence } from './storePatience.ts';
import { Tally } from './tally.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-delivery-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const LARGE = 4 * 2 ** 20;

/** A gateway that notes what is asked of it; a report is answered when `judge` was called for it. */
function noting(isAwaited = false) {
  const calls: string[] = [];
  const waits: (number | undefined)[] = [];
  const verdicts = new Map<string, () => void>();
  const puts: { url: string; hash: string; size: number }[] = [];
  const told: { exr: unknown; head: unknown }[] = [];
  const announced: { kind: string; hash: string; sizeBytes: number }[] = [];
  const gateway = {
    announce: async (_chunk, { unitId, artifacts, head }) => {
      calls.push(`announce ${unitId}${head ? ' with a head' : ''}`);
      announced.push(...artifacts);
      if (isAwaited) {
        const puts = artifacts.map(({ kind, hash }) => ({ kind, hash, url: `for ${kind}`, headers: {} }));
        return { puts, head: head ? { url: 'for head', headers: {} } : null };
      }
      return { puts: artifacts.map(({ kind, hash }) => ({ kind, hash, url: null, headers: {} })) };
    },
    upload: async (url, _headers, path, size) => {
      const bytes = (await readFile(path)).subarray(0, size);
      if (size >= LARGE / 4) puts.push({ url, hash: createHash('sha256').update(bytes).digest('hex'), size });
      calls.push(`put ${url}`);
    },
    head: async (_chunk, { unitId, exr, head }) => {
      calls.push(`head ${unitId}`);
      told.push({ exr, head });
    },
    report: (_chunk, { unitId, waitMs }) => {
      calls.push(`report ${unitId}`);
      waits.push(waitMs);
      return new Promise<void>((resolve) => verdicts.set(unitId, resolve));
    },
  } satisfies Partial<GatewayClient>;
  const judge = (unitId: string): void => verdicts.get(unitId)!();
  return { calls, waits, announced, puts, told, judge, gateway: gateway as Partial<GatewayClient> as GatewayClient };
}

function deliveryOf(
  gateway: GatewayClient,
  before: Promise<unknown> = Promise.resolve(),
  more: Partial<DeliveryDeps> = {},
) {
  const lease = { chunkId: 'chunk', jobId: 'job', leaseNumber: 1 } as Lease;
  const deps: DeliveryDeps = {
    ...{ gateway, before, tally: new Tally(join(folder, 'tally')), signal: new AbortController().signal },
    say: () => undefined,
    ...more,
  };
  return startDelivery(lease, deps, () => undefined);
}

async function rendered(unitId: string, sizeBytes: number): Promise<[LeaseUnit, RenderedUnit]> {
  const [exrPath, previewPath] = [join(folder, `${unitId}.exr`), join(folder, `${unitId}.png`)];
  await writeFile(exrPath, Buffer.alloc(sizeBytes, unitId));
  await writeFile(previewPath, unitId);
  const unit = { unitId, frame: 1, tile: 0, price: '1' } as LeaseUnit;
  return [unit, { unit, exrPath, previewPath, picturePath: null } as Partial<RenderedUnit> as RenderedUnit];
}

it('has a large frame judged before it sends the next one', async () => {
  const { calls, waits, judge, gateway } = noting();
  const delivery = deliveryOf(gateway);
  await delivery.take(...(await rendered('one', LARGE)));
  const second = delivery.take(...(await rendered('two', 10)));
  await expect.poll(() => calls.at(-1)).toBe('report one');
  await sleep(100);
  expect(calls).toEqual(['announce one with a head', 'report one']);
  judge('one');
  await second;
  await expect.poll(() => calls.at(-1)).toBe('report two');
  judge('two');
  await delivery.done();
  // The small one is not worth a question.
  expect([waits[0]! > 0, waits[1]]).toEqual([true, 0]);
});

it('lets the frames of the lease before go first', async () => {
  const { calls, judge, gateway } = noting();
  let leave = (): void => undefined;
  const before = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const delivery = deliveryOf(gateway, before);
  const taken = delivery.take(...(await rendered('next', 10)));
  await sleep(100);
  expect(calls).toEqual([]);
  leave();
  await taken;
  await expect.poll(() => calls.at(-1)).toBe('report next');
  judge('next');
  await delivery.done();
});

it('announces an EXR by the hash that its engine made while it wrote it', async () => {
  const { announced, judge, calls, gateway } = noting();
  const delivery = deliveryOf(gateway);
  const [unit, made] = await rendered('one', 3);
  await delivery.take(unit, { ...made, exrHash: 'made-while-writing' });
  await expect.poll(() => calls).toContain('report one');
  judge('one');
  await delivery.done();
  expect(announced).toMatchObject([
    { kind: 'exr', hash: 'made-while-writing', sizeBytes: 3 },
    { kind: 'preview', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

it('puts the head of its first frame before the whole where that is awaited, and tells of it', async () => {
  const { calls, puts, told, judge, gateway } = noting(true);
  const delivery = deliveryOf(gateway);
  await delivery.take(...(await rendered('one', LARGE)));
  await expect.poll(() => calls.at(-1)).toBe('report one');
  expect(calls.slice(0, 2)).toEqual(['announce one with a head', 'put for head']);
  expect(calls).toContain('head one');
  const hash = (size: number) =>
    createHash('sha256').update(Buffer.alloc(LARGE, 'one').subarray(0, size)).digest('hex');
  expect(puts).toEqual([
    { url: 'for head', hash: hash(LARGE / 4), size: LARGE / 4 },
    { url: 'for exr', hash: hash(LARGE), size: LARGE },
  ]);
  const [head, exr] = [LARGE / 4, LARGE].map((size) => ({ hash: hash(size), sizeBytes: size }));
  expect(told).toEqual([{ exr, head }]);
  judge('one');
  // The next one follows on a frame that is on its way.
  const second = delivery.take(...(await rendered('two', LARGE)));
  await expect.poll(() => calls.at(-1)).toBe('report two');
  expect(calls).toContain('announce two');
  judge('two');
  await second;
  await delivery.done();
});

it('counts the silence of a store over leases, and not over a pause', () => {
  const silence = new StoreSilence();
  expect([0, 20_000, 45_000, 80_000, 90_000].map((at) => silence.failed(at))).toEqual([0, 0, 0, 80_000, 80_000]);
  silence.answered();
  expect(silence.failed(91_000)).toBe(91_000);
});

it('sends the frame as ever when its head cannot be put or told of', async () => {
  for (const broken of ['upload', 'head'] as const) {
    const { calls, judge, gateway } = noting(true);
    const fails = () => Promise.reject(new Error('no'));
    const upload: GatewayClient['upload'] = (url, ...rest) =>
      broken === 'upload' && url === 'for head' ? fails() : gateway.upload(url, ...rest);
    const delivery = deliveryOf({ ...gateway, upload, ...(broken === 'head' ? { head: fails } : {}) });
    await delivery.take(...(await rendered('one', LARGE)));
    await expect.poll(() => calls.at(-1)).toBe('report one');
    expect(calls).toContain('put for exr');
    judge('one');
    await delivery.done();
  }
});

it('gives a frame up when no store takes it for a while, says so before, and waits for one that comes back', async () => {
  const silent = new FarmError('StoreFailed', 'The object store could not stat: ECONNREFUSED', { kind: 'frames' });
  const givenUp = async (call: 'announce' | 'report') => {
    const lines: string[] = [];
    const fails = () => Promise.reject(silent);
    const more = { storePatienceMs: 1, say: (line: string) => void lines.push(line) };
    const delivery = deliveryOf({ ...noting().gateway, [call]: fails }, undefined, more);
    await delivery.take(...(await rendered(`no-${call}`, 10)));
    await expect(delivery.done()).rejects.toMatchObject({
      code: 'StoreFailed',
      message: expect.stringContaining('ECONNREFUSED'),
      place: { kind: 'frames', silentSeconds: expect.any(Number) },
    });
    expect(lines).toEqual([`Frame 1 waits: ${silent.message}`]);
  };
  const comesBack = async () => {
    const { calls, judge, gateway } = noting();
    let failures = 2;
    const announce: GatewayClient['announce'] = (...said) =>
      failures-- > 0 ? Promise.reject(silent) : gateway.announce(...said);
    const delivery = deliveryOf({ ...gateway, announce });
    await delivery.take(...(await rendered('back', 10)));
    await expect.poll(() => calls.at(-1), { timeout: 5_000 }).toBe('report back');
    judge('back');
    await delivery.done();
  };
  await Promise.all([givenUp('announce'), givenUp('report'), comesBack()]);
});
