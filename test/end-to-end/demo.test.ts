/**
 * The demonstration's own path on a fresh home, a killed node included: every frame delivered once, every hash right, the
 * invoice verified on chain, ledger equal to chain, the rest of the escrow back. Then the farm starts again and remembers.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readClientFile } from '../../cli/connection.ts';
import { FarmClient } from '../../cli/sdk/client.ts';
import { down, up } from '../../infra/stack/commands.ts';
import { inspectExr } from '../../renderer/image/exr/inspect.ts';
import { allFrames, billedFrames } from '../support/farm.ts';

const start = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'cli', 'main.js');
const FRAMES = Array.from({ length: 24 }, (_, i) => i + 1);
const GIFT = 10_000n * 10n ** 18n;

interface Result {
  job: string;
  frames: { total: number; committed: number; billed: number };
  seconds: Record<string, number>;
  outputs: { folder: string; exr: string[]; film: string; contactSheet: string; manifest: string };
  invoice: {
    number: string;
    total: string;
    token: string;
    currency: string;
    lines: number;
    root: string;
    transaction: string;
  };
  page: string;
}

let folder: string;
let home: string;
let output: string;
let result: Result;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-demo-'));
  // The database's own user has to get through when we are root.
  chmodSync(folder, 0o711);
  home = join(folder, 'home');
  output = await run(['demo', '--exit', '--json', 'result.json']);
  result = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as Result;
}, 400_000);
afterAll(async () => {
  await down({ home });
  await rm(folder, { recursive: true, force: true });
});

/** Runs the built command as `npm start` does; rejects with what it printed when it does not end with 0. */
function run(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, FARM_HOME: home, FARM_URL: '', FARM_KEY: '', NO_COLOR: '1' };
    execFile(process.execPath, [start, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${stderr}\n${stdout}`, { cause: error })) : resolve(stderr),
    );
  });
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('the demonstration', () => {
  it('says what it does, kills one of its nodes, and says what came of it', () => {
    for (const stage of ['intake', 'plan', 'render', 'verify', 'assemble', 'settle']) {
      expect(output).toContain(`✓ ${stage}`);
    }
    expect(output).toMatch(/kill -9 \d+ {2}\(node-\d/);
    expect(output).toContain('24 of 24 frames, each once');
    expect(output).toMatch(/was killed on the way; the bill is what was quoted/);
    expect(result.frames).toEqual({ total: 24, committed: 24, billed: 24 });
    expect(Object.keys(result.seconds)).toEqual(
      expect.arrayContaining(['setup', 'intake', 'plan', 'render', 'verify', 'assemble', 'settle', 'total']),
    );
    expect(result.page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
  });

  it('delivers every frame once, with the bytes of the manifest', async () => {
    const { exr, film, contactSheet, manifest } = result.outputs;
    expect(exr).toHaveLength(24);
    const document = JSON.parse(await readFile(join(result.outputs.folder, manifest), 'utf8')) as {
      frames: { frame: number; node: string; exr: { path: string; sha256: string } }[];
      outputs: { file: { path: string; sha256: string } }[];
    };
    expect(document.frames.map(({ frame }) => frame)).toEqual(FRAMES);
    expect(new Set(document.frames.map(({ node }) => node))).toEqual(new Set(['node-1', 'node-2']));
    const files = [...document.frames.map((frame) => frame.exr), ...document.outputs.map(({ file }) => file)];
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining([film, contactSheet]));
    for (const { path, sha256: hash } of files) {
      expect(sha256(await readFile(join(result.outputs.folder, path))), path).toBe(hash);
    }
    expect(new Set(document.frames.map((frame) => frame.exr.sha256)).size).toBe(24);
    expect((await readdir(result.outputs.folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('delivers pictures: half-float layers, no NaN, not black', async () => {
    const picture = await inspectExr(await readFile(join(result.outputs.folder, result.outputs.exr[11]!)));
    expect(picture).toMatchObject({ width: 480, height: 270, hasNaN: false, hasInfinity: false, allBlack: false });
    expect(picture.channels).toEqual(expect.arrayContaining(['R', 'G', 'B', 'A', 'albedo.R', 'normal.X', 'depth.Z']));
  });

  it('settles: what the chain says after a restart is what the invoice says', async () => {
    await up({ home });
    const client = new FarmClient(readClientFile(home)!);
    const invoice = await client.invoice(result.job);
    expect(invoice).toMatchObject({
      number: result.invoice.number,
      total: result.invoice.total,
      root: result.invoice.root,
      transaction: result.invoice.transaction,
      status: 'paid',
    });
    expect(billedFrames(invoice)).toEqual(FRAMES);
    expect(BigInt(invoice.deposited)).toBe(BigInt(invoice.total) + BigInt(invoice.refunded));
    expect(BigInt(invoice.refunded)).toBeGreaterThan(0n);
    expect(invoice.netCents + invoice.taxCents).toBe(invoice.grossCents);
    const verification = await client.verifyInvoice(result.job);
    expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(verification.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Root: invoice = chain', 'Refunds: ledger = chain', 'Payouts: ledger = chain']),
    );
    expect(verification.lines.every(({ proof, frames }) => proof && frames)).toBe(true);
    // The gift less what was billed: the refund has arrived.
    expect(BigInt((await client.me()).balance!)).toBe(GIFT - BigInt(invoice.total));
    expect((await allFrames(client, result.job)).every(({ status }) => status === 'committed')).toBe(true);
  });

  it('finds the running farm and submits a new job', async () => {
    // One sample: what is new here are the farm that was found and the job, not the pictures.
    const second = await run(['demo', '--no-kill', '--samples', '1', '--json', 'second.json']);
    expect(second).toContain('Found the running farm');
    const { job, outputs } = JSON.parse(await readFile(join(folder, 'second.json'), 'utf8')) as Result;
    expect(job).not.toBe(result.job);
    expect(outputs.exr).toHaveLength(24);
  });
});
