/**
 * `npm run bench:upload [-- --help]`: the promises of the upload, measured on a farm of its own with its real store. Every
 * comparison is made in alternation within this process.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { readClientFile } from '../../../cli/connection.ts';
import { FarmClient } from '../../../cli/sdk/client.ts';
import { readProject } from '../../../cli/sdk/project.ts';
import { memoryOf } from '../../../cli/sdk/upload/remembered.ts';
import { type UploadProgress, uploadFiles } from '../../../cli/sdk/upload/upload.ts';
import { down, up } from '../../../infra/stack/commands.ts';
import { peekState } from '../../../infra/stack/state.ts';
import { numberOf, readCommandLine, someOf, wholeNumber } from '../commandLine.ts';
import { changeRegion, insertRegion, writeManyFiles, writeRandomFile } from './files.ts';
import { openPlainPut, PLAIN_CLIENTS } from './plainPut.ts';

const MB = 1e6;
const PRIOR = 'scene.glb';

interface Sent {
  seconds: number;
  sentShare: number;
  manifestBytes: number;
}

const PARTS = ['throughput', 'change', 'many', 'sparse'] as const;
const USAGE = `npm run bench:upload [-- --size MB] [--rounds N] [--files N] [--sparse GIB] [--only PART,PART] [--json FILE]

Parts: ${PARTS.join(', ')}; the memory that the sparse file takes is told only where it runs alone.`;
const asked = readCommandLine(
  USAGE,
  {
    size: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    files: { type: 'string', default: '60000' },
    sparse: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true, default: [...PARTS] },
    json: { type: 'string' },
  },
  (values) => ({
    sizeMegabytes: numberOf('size', values.size, Number.MIN_VALUE),
    rounds: wholeNumber('rounds', values.rounds, 1),
    files: wholeNumber('files', values.files, 1),
    sparseGibibytes: numberOf('sparse', values.sparse, Number.MIN_VALUE),
    parts: values.only.flatMap((names) => someOf('only', names, PARTS)),
    json: values.json,
  }),
);

const folder = mkdtempSync(join(os.tmpdir(), 'framewright-bench-upload-'));
// The database's own user has to get through when we are root.
chmodSync(folder, 0o711);
const home = join(folder, 'home');
try {
  await up({ home, nodes: 0, variables: { FARM_VOLATILE: '1', FARM_LOG_LEVEL: 'warn' } });
  const result = await measure();
  print(result);
  if (asked.json) await writeFile(asked.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await down({ home });
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  const client = new FarmClient(readClientFile(home)!);
  const { credentials, ports } = peekState(home)!;
  const store = { port: ports.store!, accessKey: credentials.storeAccessKey, secretKey: credentials.storeSecretKey };
  const { sizeMegabytes, rounds, parts } = asked;
  const sizeBytes = sizeMegabytes * MB;
  const has = (part: (typeof PARTS)[number]) => parts.includes(part);
  const throughput = has('throughput') ? await compareThroughput(client, store, sizeBytes, rounds) : undefined;
  const change = has('change') ? await changedShare(client, sizeBytes) : undefined;
  const many = has('many') ? await manyFiles(client, asked.files) : undefined;
  const sparse = has('sparse') ? await sparseFile(client, asked.sparseGibibytes * 2 ** 30) : undefined;
  const machine = { cpus: os.availableParallelism(), model: os.cpus()[0]?.model, memoryBytes: os.totalmem() };
  return { sizeMegabytes, machine, throughput, change, many, sparse };
}

/** Uploads four files of fresh bytes, and puts as many by other clients, in turns. */
async function compareThroughput(
  client: FarmClient,
  store: Parameters<typeof openPlainPut>[0],
  sizeBytes: number,
  rounds: number,
) {
  const plain = await openPlainPut(store);
  const megabytesPerSecond: Record<string, number[]> = { farm: [] };
  for (const name of PLAIN_CLIENTS) megabytesPerSecond[name] = [];
  const root = join(folder, 'throughput');
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const ways = [...PLAIN_CLIENTS, 'farm'] as const;
    for (const way of round % 2 ? ways.toReversed() : ways) {
      for (let index = 0; index < 4; index++) await writeRandomFile(join(root, `${index}.bin`), sizeBytes / 4);
      await writeRandomFile(join(root, PRIOR), 1_000);
      const { files } = await readProject(root);
      // What was written before is not paid for now.
      spawnSync('sync');
      const begun = performance.now();
      if (way === 'farm') await (await uploadFiles(client, files, { memory: null })).close();
      else await plain.put(way, files);
      if (round > 0) megabytesPerSecond[way]!.push(sizeBytes / MB / ((performance.now() - begun) / 1000));
    }
  }
  rmSync(root, { recursive: true });
  const ratios = Object.fromEntries(
    PLAIN_CLIENTS.map((name) => [
      name,
      median(megabytesPerSecond.farm!.map((rate, index) => rate / megabytesPerSecond[name]![index]!)),
    ]),
  );
  return { megabytesPerSecond, ratios };
}

/** A file of which a contiguous 2 % change, and one into which 2 % are inserted. */
async function changedShare(client: FarmClient, sizeBytes: number) {
  const root = join(folder, 'change');
  const file = join(root, 'sim.bin');
  await writeRandomFile(join(root, PRIOR), 1_000);
  await writeRandomFile(file, sizeBytes);
  const first = await submit(client, root, null);
  const again = await submit(client, root, null);
  await changeRegion(file, 0.37, 0.02);
  const replaced = await submit(client, root, null);
  await insertRegion(file, 0.61, 0.02);
  const inserted = await submit(client, root, null);
  rmSync(root, { recursive: true });
  return { first, again, replaced, inserted };
}

async function manyFiles(client: FarmClient, count: number) {
  const root = join(folder, 'many');
  await writeRandomFile(join(root, PRIOR), 1_000);
  await writeManyFiles(root, count, 100);
  // What was written just now is not remembered.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const memory = memoryOf(root);
  const first = await submit(client, root, memory);
  const again = await submit(client, root, memory);
  const withoutMemory = await submit(client, root, null);
  rmSync(root, { recursive: true });
  rmSync(memory, { force: true });
  return { count, first, again, withoutMemory };
}

/** Looks at the folder, uploads it, and makes a job of it (which is declined again only with the farm). */
async function submit(client: FarmClient, root: string, memory: string | null): Promise<Sent> {
  const begun = performance.now();
  const project = await readProject(root);
  let last: UploadProgress | undefined;
  const onProgress = (progress: UploadProgress) => {
    last = progress;
  };
  const { files, blobs, close } = await uploadFiles(client, project.files, { memory, onProgress });
  const request = { name: randomBytes(4).toString('hex'), main: project.main, files, blobs };
  const { missing } = await client.createJob(request);
  if (missing.length > 0) throw new Error(`${missing.length} blobs are missing.`);
  await close();
  return {
    seconds: (performance.now() - begun) / 1000,
    sentShare: last!.sentBytes / last!.totalBytes,
    manifestBytes: JSON.stringify(request).length,
  };
}

/** A file of which nothing was ever written: all of its blobs are the same. */
async function sparseFile(client: FarmClient, sizeBytes: number) {
  const root = join(folder, 'sparse');
  await writeRandomFile(join(root, PRIOR), 1_000);
  await writeFile(join(root, 'sparse.bin'), '');
  await truncate(join(root, 'sparse.bin'), sizeBytes);
  const idleBytes = process.memoryUsage().rss;
  const first = await submit(client, root, null);
  const isAlone = asked.parts.length === 1;
  const peakBytes = isAlone ? process.resourceUsage().maxRSS * 1024 : null;
  rmSync(root, { recursive: true });
  return { sizeBytes, first, sentBytes: Math.round(first.sentShare * (sizeBytes + 1_000)), idleBytes, peakBytes };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function print({
  sizeMegabytes,
  machine,
  throughput,
  change,
  many,
  sparse,
}: Awaited<ReturnType<typeof measure>>): void {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`${sizeMegabytes} MB, ${machine.cpus} cores (${machine.model})`);
  if (throughput) {
    const rates = (name: string) => throughput.megabytesPerSecond[name]!.map((rate) => rate.toFixed(0)).join(', ');
    say(`upload                    ${rates('farm')} MB/s`);
    for (const name of PLAIN_CLIENTS) {
      const ratio = throughput.ratios[name]!.toFixed(2);
      say(`${name.padEnd(25)} ${rates(name)} MB/s; the upload has ${ratio} of it (median)`);
    }
  }
  if (change) {
    const { again, replaced, inserted } = change;
    say(`the same again            sends ${percent(again.sentShare)} and ${again.manifestBytes} bytes of manifest`);
    say(`2 % changed               sends ${percent(replaced.sentShare)}`);
    say(`2 % inserted              sends ${percent(inserted.sentShare)}`);
  }
  if (many) {
    const line = ({ seconds, sentShare }: Sent) => `${seconds.toFixed(1)} s, sends ${percent(sentShare)}`;
    say(`${many.count} files of 100 bytes: ${many.first.seconds.toFixed(1)} s`);
    say(`  the same again          ${line(many.again)}`);
    say(`  and read again          ${line(many.withoutMemory)}`);
  }
  if (sparse) {
    const { sizeBytes, first, sentBytes, idleBytes, peakBytes } = sparse;
    const memory = peakBytes === null ? '' : `, at most ${mib(peakBytes)} (${mib(idleBytes)} before)`;
    say(
      `${sizeBytes / 2 ** 30} GiB of nothing         ${first.seconds.toFixed(1)} s, sends ${sentBytes} bytes${memory}`,
    );
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
