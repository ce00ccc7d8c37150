/** A real link that drops to a tenth while a blob crosses it is left for another. Needs root and iproute2. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoLab } from '../../infra/netlab/commands.ts';
import { Lab } from '../../infra/netlab/lab.ts';
import { tbfRateFor } from '../../infra/netlab/shaping.ts';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { seededBytes } from '../support/bytes.ts';

const why = await whyNoLab();
if (why) process.stderr.write(`${why}\n`);

/** Two seconds of the link. */
const MBITS = 40;
const SIZE = 10_000_000;
const SITES = ['site-1', 'site-2'] as const;
const bytes = seededBytes(SIZE, 'a blob over a dropping link');
const hash = createHash('sha256').update(bytes).digest('hex');
const random = xoroshiro128plus(53);
/** Byte of the drop, between a fifth and three fifths. */
const place = Math.floor(SIZE * (0.2 + (0.4 * (random.next() >>> 0)) / 2 ** 32));

describe.skipIf(why)('a link that drops to a tenth', () => {
  let lab: Lab;
  let folder: string;
  const sourceOf = (site: string) => ({
    ...{ url: `http://${lab.place(site).address}:8080/`, site, bytesPerSecond: (MBITS * 1e6) / 8 },
  });
  const shape = (site: string, mbits: number): Promise<void> =>
    lab.shape(site, { up: tbfRateFor(mbits), down: tbfRateFor(mbits) });
  const start = (site: string, program: string, ...args: string[]): ChildProcess => {
    const inside = lab.inside(site, process.execPath, [join(repositoryRoot, 'test', 'netlab', program), ...args]);
    return spawn(inside.command, inside.args, { stdio: ['ignore', 'pipe', 'inherit'] });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'framewright-dropping-'));
    const file = join(folder, 'blob');
    await writeFile(file, bytes);
    lab = await Lab.build(SITES);
    for (const site of SITES)
      await once(start(site, 'serve-program.js', file, lab.place(site).address).stdout!, 'data');
  });
  afterAll(async () => {
    await lab?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Downloads at the studio; the first source's link drops when byte `at` has come. Answers payload by site, from the kernel's counters. */
  async function get(name: string, sites: readonly string[], at: number) {
    for (const site of SITES) await shape(site, MBITS);
    const before = await Promise.all(SITES.map((site) => lab.counters(site)));
    const file = join(folder, name);
    const asked = { hash, sizeBytes: SIZE, sources: sites.map(sourceOf), slowMs: 1_000 };
    const child = start('studio', 'download-program.js', file, JSON.stringify(asked));
    let last = '';
    let dropped: Promise<void> | undefined;
    for await (const line of createInterface({ input: child.stdout! })) {
      last = line;
      if (Number(line) >= at) dropped ??= shape(sites[0]!, MBITS / 10);
    }
    await dropped;
    const after = await Promise.all(SITES.map((site) => lab.counters(site)));
    const whole = (await readFile(file)).equals(bytes);
    return { last, whole, dropped: dropped !== undefined, sent: after.map(({ up }, index) => up - before[index]!.up) };
  }

  it('is left for another, which goes on where it stopped', async () => {
    const { sent, ...got } = await get('left', SITES, place);
    expect(got).toEqual({ last: 'whole', whole: true, dropped: true });
    const [first, second] = sent as [number, number];
    // Most of what was missing at the drop came over the other link, and nothing that was there came again.
    expect(second).toBeGreaterThan(0.6 * (SIZE - place));
    expect(second).toBeLessThan(1.08 * (SIZE - place));
    expect(first).toBeGreaterThan(place);
    expect(first + second).toBeLessThan(1.2 * SIZE);
  });
});
