import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, expect, it } from 'vitest';
import { appendEvent, notifyTransient } from '../../ports/db/events.ts';
import { addQuoted, addSubmission } from '../../test/support/rows.ts';
import { openTwoStudios } from './testing/twoStudios.ts';

const { farm, north, south, call } = await openTwoStudios();
afterAll(() => farm.close());

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
  farm.record.database.asService((tx) => appendEvent(tx, { studioId, jobId, type: 'log', data: { node: null, line } }));

it('tells what was missed and what happens, in order, without gaps or repetition', async () => {
  const { studioId } = north;
  const jobId = await addSubmission(farm.record.database, { studioId });
  for (let n = 0; n < 20; n++) await log(studioId, jobId, `before ${n}`);
  const stream = await listen(north.key, `/v1/jobs/${jobId}/events`);
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
  await Promise.all(Array.from({ length: 30 }, (_, n) => log(studioId, jobId, `during ${n}`)));
  // Longer than a notification: it is read from the record, and what follows waits for it.
  await log(studioId, jobId, 'x'.repeat(9_000));
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

it("tells a studio of its jobs' changes, and of no others", async () => {
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
