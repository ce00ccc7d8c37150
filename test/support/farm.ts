/** A whole farm of its own for end-to-end tests: real services, built processes, in a temporary home. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readClientFile } from '../../cli/connection.ts';
import { FarmClient } from '../../cli/sdk/client.ts';
import { isFinalJob } from '../../cli/sdk/jobStatus.ts';
import { readProject } from '../../cli/sdk/project.ts';
import { type SubmitOptions, submitProject } from '../../cli/sdk/submit.ts';
import type { FrameView, InvoiceView, JobEventView, JobView } from '../../cli/sdk/types.ts';
import { down, killProcess, startOneProcess, status, up } from '../../infra/stack/commands.ts';

export interface TestFarm {
  home: string;
  url: string;
  /** Key of the first studio's member. */
  key: string;
  client: FarmClient;
  /** Process id of one of the farm's processes (`control`, `node-1`, …). */
  pid(name: string): Promise<number>;
  /** `kill -9`, and starts it again. */
  killAndRestart(...names: string[]): Promise<void>;
  /** Stops everything and starts it again, state kept. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestFarmOptions {
  nodes?: number;
  /** More environment, such as short lease times. */
  variables?: Record<string, string>;
}

/** Starts a farm that ends with this process, however it ends. */
export async function startTestFarm({ nodes = 2, variables = {} }: TestFarmOptions = {}): Promise<TestFarm> {
  const folder = mkdtempSync(join(tmpdir(), 'framewright-farm-'));
  // The database's own user has to get through when we are root.
  chmodSync(folder, 0o711);
  const home = join(folder, 'home');
  const begin = async (): Promise<void> => {
    await up({ home, nodes, variables: { FARM_VOLATILE: '1', FARM_LOG_LEVEL: 'debug', ...variables } });
    await untilJoined(connectionOf(home).client, nodes);
  };
  await begin();
  const farm: TestFarm = {
    home,
    ...connectionOf(home),
    async pid(name) {
      const found = (await status({ home })).processes.find((process) => process.name === name);
      if (!found?.pid) throw new Error(`${name} is not running`);
      return found.pid;
    },
    async killAndRestart(...names) {
      await Promise.all(names.map((name) => killProcess(name, { home })));
      await Promise.all(names.map((name) => startOneProcess(name, { home })));
    },
    async restart() {
      await down({ home });
      await begin();
      Object.assign(farm, connectionOf(home));
    },
    async stop() {
      await down({ home });
      if (!process.env.FARM_KEEP_TEST_HOMES) rmSync(folder, { recursive: true, force: true });
    },
  };
  return farm;
}

function connectionOf(home: string): { url: string; key: string; client: FarmClient } {
  const file = readClientFile(home);
  if (!file) throw new Error(`The farm in ${home} left no client file.`);
  return { url: file.url, key: file.key, client: new FarmClient(file) };
}

/** Nodes measure themselves before they join; a farm is up before they are. */
async function untilJoined(client: FarmClient, nodes: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    const joined = (await client.nodes()).filter(({ status }) => status === 'online');
    if (joined.length >= nodes) return;
  }
  throw new Error(`${nodes} nodes did not join.`);
}

/** Submits a scene on disk and takes its quote. The frame cache is off unless a test turns it on. */
export async function submitScene(client: FarmClient, path: string, options: SubmitOptions): Promise<JobView> {
  const quoted = await submitProject(client, await readProject(path), { cache: false, ...options });
  return client.acceptJob(quoted.id, options.cap);
}

/** Waits until an event satisfies `found` (the past counts) and returns it. */
export async function untilEvent(
  client: FarmClient,
  jobId: string,
  found: (event: JobEventView) => boolean,
  timeoutMs = 120_000,
): Promise<JobEventView> {
  const stop = AbortSignal.timeout(timeoutMs);
  for await (const event of client.events(jobId, { signal: stop })) if (found(event)) return event;
  const job = await client.job(jobId);
  throw new Error(`No such event in ${timeoutMs} ms; the job is ${JSON.stringify(job, null, 1)}`);
}

/** Waits until this many frames are committed. */
export const untilCommitted = (client: FarmClient, jobId: string, count: number, timeoutMs?: number) =>
  untilEvent(
    client,
    jobId,
    ({ type, data }) => type === 'unit.committed' && Number(data.committed) >= count,
    timeoutMs,
  );

/** Waits until the job is final and returns it. */
export async function untilFinal(client: FarmClient, jobId: string, timeoutMs = 180_000): Promise<JobView> {
  const job = await client.job(jobId);
  if (isFinalJob(job.status)) return job;
  await untilEvent(client, jobId, ({ type, data }) => type === 'job.changed' && isFinalJob(data.status), timeoutMs);
  return client.job(jobId);
}

/** All frames of a job. */
export async function allFrames(client: FarmClient, jobId: string): Promise<FrameView[]> {
  const frames: FrameView[] = [];
  for await (const frame of client.frames(jobId)) frames.push(frame);
  return frames;
}

/** Frame numbers that an invoice bills, sorted. */
export const billedFrames = (invoice: InvoiceView): number[] =>
  invoice.lines.flatMap(({ units }) => units.map(({ frame }) => frame)).sort((a, b) => a - b);
