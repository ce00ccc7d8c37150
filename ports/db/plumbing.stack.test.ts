import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addJob,
  addQuoted,
  addStudio,
  hashOf,
  openTestRecord,
  type TestRecord,
  TOKEN,
} from '../../test/support/rows.ts';
import {
  findByReference,
  markConfirmed,
  markFailed,
  markSent,
  nextNonce,
  openTransactions,
  recordSigned,
} from './chainTx.ts';
import type { Tx } from './client.ts';
import { appendEvent, CHANNELS, notifyTransient, readEvents, readJobPayload } from './events.ts';
import { abandon, begin, complete } from './idempotency.ts';
import { createInvoice, getInvoice, setPaid, setPosted } from './invoices.ts';
import { acceptQuote, getJob } from './jobs.ts';
import { enqueue, markDone, markFailed as markOrderFailed, takeOpen } from './outbox.ts';

let record: TestRecord;
let studioId: string;

beforeAll(async () => {
  record = await openTestRecord({ max: 20 });
  studioId = await addStudio(record.database, 'studio');
});
afterAll(() => record?.close());

const service = <T>(work: (tx: Tx) => Promise<T>) => record.database.asService(work);
const log = (jobId: string, line: string) => ({ studioId, jobId, type: 'log' as const, data: { node: null, line } });

describe('events', () => {
  it('keep a line that holds what no JSON column takes', async () => {
    const { jobId } = await addJob(record.database, { studioId, offered: false });
    const before = (await service((tx) => getJob(tx, jobId)))!.eventSeq;
    await service((tx) => appendEvent(tx, log(jobId, 'a\0b\ud800 C:\\u0000')));
    const [event] = await service((tx) => readEvents(tx, { jobId, after: before, limit: 1 }));
    expect(event!.data.line).toBe('a\ufffdb\ufffd C:\\u0000');
  });

  it('are numbered without gaps by 20 writers, some of whom fail', async () => {
    const { jobId } = await addJob(record.database, { studioId, offered: false });
    const before = (await service((tx) => getJob(tx, jobId)))!.eventSeq;
    await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        service(async (tx) => {
          await appendEvent(tx, log(jobId, `${i}`));
          if (i % 3 === 0) throw new Error('taken back');
        }),
      ),
    );
    const events = await record.database.withStudio(studioId, (tx) =>
      readEvents(tx, { jobId, after: before, limit: 100 }),
    );
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 13 }, (_, i) => before + 1 + i));
    expect(new Set(events.map(({ data }) => data.line)).size).toBe(13);
    expect(await service((tx) => readEvents(tx, { jobId, after: before + 12, limit: 100 }))).toHaveLength(1);
    await expect(
      service((tx) =>
        appendEvent(tx, log(hashOf('x').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5'), 'x')),
      ),
    ).rejects.toMatchObject({ code: 'JobNotFound' });
  });

  it('reach listeners when their transaction commits, and only then', async () => {
    const { jobId } = await addJob(record.database, { studioId, offered: false });
    const heard: string[] = [];
    let wake = () => {};
    const hear = (channel: string) => (payload: string) => {
      heard.push(`${channel} ${payload}`);
      wake();
    };
    const stops = await Promise.all(
      [CHANNELS.job, CHANNELS.transient].map((channel) => record.database.listen(channel, hear(channel))),
    );
    await service(async (tx) => {
      await appendEvent(tx, log(jobId, 'rolled back'));
      throw new Error('taken back');
    }).catch(() => {});
    const seq = await service((tx) => appendEvent(tx, log(jobId, 'kept')));
    await service((tx) => notifyTransient(tx, log(jobId, 'passing')));
    await service((tx) => notifyTransient(tx, log(jobId, 'x'.repeat(9000))));
    while (heard.length < 2) await new Promise<void>((resolve) => (wake = resolve));
    // Two channels are two connections; between them there is no order.
    const [told] = await service((tx) => readEvents(tx, { jobId, after: seq - 1, limit: 1 }));
    expect(heard.sort()).toEqual([
      expect.stringMatching(`^farm_job ${studioId}:${jobId}:${seq}:`),
      `farm_transient ${JSON.stringify(log(jobId, 'passing'))}`,
    ]);
    expect(readJobPayload(heard[0]!.slice('farm_job '.length))?.event()).toEqual(told);
    await Promise.all(stops.map((stop) => stop()));
  });

  it('are listened for again after the connection was lost', async () => {
    const { jobId } = await addJob(record.database, { studioId, offered: false });
    let heard: (payload: string) => void = () => {};
    const next = () => new Promise<string>((resolve) => (heard = resolve));
    const stop = await record.database.listen(CHANNELS.job, (payload) => heard(payload));
    const reconnected = next();
    await record.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
    );
    expect(await reconnected).toBe('');
    const after = next();
    const seq = await service((tx) => appendEvent(tx, log(jobId, 'after')));
    expect(readJobPayload(await after)).toMatchObject({ studioId, jobId, seq });
    const long = next();
    const line = 'ä'.repeat(4_000);
    const longSeq = await service((tx) => appendEvent(tx, log(jobId, line)));
    expect(await long).toBe(`${studioId}:${jobId}:${longSeq}`);
    await stop();
  });
});

describe('a connection that dies between two statements of a transaction', () => {
  it('fails that transaction, and not the process', async () => {
    const dying = service(async (tx) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
      await record.query(`SELECT pg_terminate_backend(${rows[0]!.pid})`);
      // Its end is told while nobody asks it anything.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await sql`SELECT 1`.execute(tx);
    });
    await expect(dying).rejects.toThrow();
    expect(await service(async (tx) => (await sql`SELECT 1 AS one`.execute(tx)).rows)).toEqual([{ one: 1 }]);
  });
});

describe('outbox', () => {
  it('holds the order to start a job from the transaction that accepted it, or nothing', async () => {
    const jobId = await addQuoted(record.database, { studioId });
    const orders = () =>
      record.query<{ payload: { workflowId: string } }>(
        `SELECT payload FROM outbox WHERE payload ->> 'workflowId' = '${jobId}'`,
      );
    await record.database
      .withStudio(studioId, async (tx) => {
        await acceptQuote(tx, { jobId, cap: 10n });
        throw new Error('taken back');
      })
      .catch(() => {});
    expect(await orders()).toEqual([]);
    await expect(service((tx) => acceptQuote(tx, { jobId, cap: 9n }))).rejects.toMatchObject({ code: 'CapTooSmall' });
    await record.database.withStudio(studioId, (tx) => acceptQuote(tx, { jobId, cap: 10n }));
    await expect(service((tx) => acceptQuote(tx, { jobId, cap: 10n }))).rejects.toMatchObject({ code: 'QuoteTaken' });
    expect(await orders()).toEqual([
      { payload: { workflow: 'renderJob', workflowId: jobId, args: [{ studioId, jobId }] } },
    ]);
  });

  it('gives each order to one worker at a time and those that failed last', async () => {
    await record.query('DELETE FROM outbox');
    const signal = (n: number) => ({
      studioId,
      topic: 'signal-workflow' as const,
      payload: { workflowId: `${n}`, signal: 's', args: [] },
    });
    for (let n = 0; n < 4; n++) await service((tx) => enqueue(tx, signal(n)));
    const ids = (orders: { payload: Record<string, unknown> }[]) => orders.map(({ payload }) => payload.workflowId);
    await service(async (first) => {
      const mine = await takeOpen(first, 2);
      expect(ids(mine)).toEqual(['0', '1']);
      await service(async (second) => expect(ids(await takeOpen(second, 10))).toEqual(['2', '3']));
      await markDone(first, mine[1]!);
      await markOrderFailed(first, { ...mine[0]!, error: 'not there yet' });
    });
    const left = await service((tx) => takeOpen(tx, 10));
    expect(ids(left)).toEqual(['2', '3', '0']);
    expect(left[2]).toMatchObject({ attempts: 1, lastError: 'not there yet' });
  });
});

describe('idempotency', () => {
  const request = { key: 'key', requestHash: hashOf('one') };

  it('replays the answer, and refuses another request under the same key', async () => {
    const mine = { studioId, ...request };
    expect(await service((tx) => begin(tx, mine))).toEqual({ state: 'new' });
    await expect(service((tx) => begin(tx, mine))).rejects.toMatchObject({ code: 'IdempotencyConflict' });
    await service((tx) => complete(tx, { studioId, key: 'key', status: 201, response: { id: 1 } }));
    expect(await service((tx) => begin(tx, mine))).toEqual({ state: 'replay', status: 201, response: { id: 1 } });
    await expect(service((tx) => begin(tx, { ...mine, requestHash: hashOf('two') }))).rejects.toMatchObject({
      code: 'IdempotencyConflict',
    });
    // Another studio's key of that name is another key.
    const other = await addStudio(record.database, 'other');
    expect(await record.database.withStudio(other, (tx) => begin(tx, { studioId: other, ...request }))).toEqual({
      state: 'new',
    });
    await record.database.withStudio(other, (tx) => abandon(tx, { studioId: other, key: 'key' }));
    expect(await record.database.withStudio(other, (tx) => begin(tx, { studioId: other, ...request }))).toEqual({
      state: 'new',
    });
  });

  it('carries one of eight requests out when they come at once, and replays it to the others', async () => {
    let executed = 0;
    const mine = { studioId, key: 'at once', requestHash: hashOf('one') };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        record.database.withStudio(studioId, async (tx) => {
          const state = await begin(tx, mine);
          if (state.state === 'replay') return state.response;
          executed++;
          const response = { answer: executed };
          await complete(tx, { studioId, key: mine.key, status: 200, response });
          return response;
        }),
      ),
    );
    expect(executed).toBe(1);
    expect(answers).toEqual(Array.from({ length: 8 }, () => ({ answer: 1 })));
  });

  it('takes over a request whose process is gone', async () => {
    const mine = { studioId, key: 'gone', requestHash: hashOf('one') };
    await service((tx) => begin(tx, mine));
    await record.query(`UPDATE idempotency_keys SET created_at = now() - interval '61 s' WHERE key = 'gone'`);
    expect(await service((tx) => begin(tx, mine))).toEqual({ state: 'new' });
    await expect(service((tx) => begin(tx, mine))).rejects.toMatchObject({ code: 'IdempotencyConflict' });
  });
});

describe('invoices', () => {
  const draft = () => ({
    ...{
      document: { formatVersion: 1 },
      lines: [],
      total: 0n,
      currency: 'EUR',
      netCents: 0,
      taxCents: 0,
      grossCents: 0,
      root: '0x',
    },
  });

  it('are numbered without gaps, also when some fail while others are made', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 9 }, (_, i) => addJob(record.database, { studioId, name: `invoice-${i}`, offered: false })),
    );
    const made = await Promise.allSettled(
      jobs.map(({ jobId }, i) =>
        service((tx) =>
          createInvoice(tx, {
            jobId,
            build: () => {
              if (i % 3 === 1) throw new Error('no');
              return draft();
            },
          }),
        ),
      ),
    );
    const numbers = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value.number] : []));
    const year = new Date().getUTCFullYear();
    expect(numbers.sort()).toEqual(Array.from({ length: 6 }, (_, i) => `FW-STUDIO-${year}-00000${i + 1}`));
    const again = await service((tx) => createInvoice(tx, { jobId: jobs[0]!.jobId, build: draft }));
    expect(numbers).toContain(again.number);
    const later = await service((tx) => createInvoice(tx, { jobId: jobs[1]!.jobId, build: draft }));
    expect(later.number).toBe(`FW-STUDIO-${year}-000007`);
    const { jobId } = jobs[2]!;
    await service((tx) => setPosted(tx, { jobId, transactionHash: '0x12' }));
    await service((tx) => setPosted(tx, { jobId, transactionHash: '0x34' }));
    await service((tx) => setPaid(tx, { jobId }));
    expect((await service((tx) => getInvoice(tx, jobId)))?.invoice).toMatchObject({
      status: 'paid',
      transactionHash: '0x12',
    });
    await expect(service((tx) => setPaid(tx, { jobId: jobs[4]!.jobId }))).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('bill what the job spent, no more and no less', async () => {
    const { jobId } = await addJob(record.database, { studioId, name: 'wrong', offered: false });
    const wrong = () => ({ ...draft(), total: 1n });
    await expect(service((tx) => createInvoice(tx, { jobId, build: wrong }))).rejects.toMatchObject({
      code: 'LedgerUnbalanced',
    });
    expect(await service((tx) => getInvoice(tx, jobId))).toBeNull();
  });
});

describe('chain transactions', () => {
  it('happen once for a reference and never share a nonce', async () => {
    const { jobId } = await addJob(record.database, { studioId, name: 'chain', offered: false });
    const sender = `0x${'Ab'.repeat(20)}`;
    const signed = (reference: string, nonce: number) => ({
      ...{
        studioId,
        jobId,
        kind: 'deposit',
        reference,
        chainId: TOKEN.chainId,
        sender,
        nonce,
        hash: `0x${nonce}`,
        raw: `0x${reference}`,
      },
    });
    const first = await service((tx) => recordSigned(tx, signed('deposit', 0)));
    expect(await service((tx) => recordSigned(tx, signed('deposit', 1)))).toEqual(first);
    await expect(service((tx) => recordSigned(tx, signed('claim', 0)))).rejects.toMatchObject({ code: 'ChainFailed' });
    expect(await service((tx) => nextNonce(tx, { chainId: TOKEN.chainId, sender: sender.toLowerCase() }))).toBe(1);
    const second = await service((tx) => recordSigned(tx, signed('claim', 1)));
    await service((tx) => markSent(tx, first));
    const open = await service((tx) => openTransactions(tx, sender.toLowerCase()));
    expect(open.map(({ id, status }) => [id, status])).toEqual([
      [first.id, 'sent'],
      [second.id, 'signed'],
    ]);
    await service((tx) => markConfirmed(tx, { ...first, blockNumber: 5, gasUsed: 21_000 }));
    await service((tx) => markSent(tx, first));
    expect(await service((tx) => findByReference(tx, first))).toMatchObject({ status: 'confirmed', blockNumber: 5 });
    await service((tx) => markFailed(tx, second));
    expect(await service((tx) => openTransactions(tx, sender))).toEqual([]);
    expect(await service((tx) => recordSigned(tx, signed('claim', 1)))).not.toMatchObject({ id: second.id });
  });
});
