/** Brings every link to the asked payload rate: set, measure with a plain TCP stream each way, correct, measure again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FarmError } from '../../domain/errors.ts';
import { run } from './commands.ts';
import type { Lab, TbfRates } from './lab.ts';
import { tbfRateFor } from './shaping.ts';

/** One link as it was set and as it measured; Mbit/s of payload but for `tbf`. */
export interface CalibratedLink {
  link: string;
  askedMbits: number;
  tbf: TbfRates;
  upMbits: number;
  downMbits: number;
}

export interface CalibrationOptions {
  /** How long a stream lasts. */
  streamMs?: number;
  /** Links are measured at the same time as long as they carry no more than this together, so that the machine keeps up. */
  togetherMbits?: number;
  /** A link farther off than this share is corrected. */
  tolerance?: number;
}

const PORT = 5201;
const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), 'stream-process.js');
/** A correction beyond this would hide a machine that cannot carry the rate. */
const LARGEST_CORRECTION = 1.05;

/**
 * @param asked payload rates by place
 * @returns the links in the order asked for; a link that still is off says so by its measured rates
 */
export async function calibrate(
  lab: Lab,
  asked: ReadonlyMap<string, number>,
  { streamMs = 1_500, togetherMbits = 150, tolerance = 0.005 }: CalibrationOptions = {},
): Promise<CalibratedLink[]> {
  const links = [...asked].map(([link, askedMbits]): CalibratedLink => {
    const rate = tbfRateFor(askedMbits);
    return { link, askedMbits, tbf: { up: rate, down: rate }, upMbits: 0, downMbits: 0 };
  });
  for (const { link, tbf } of links) await lab.shape(link, tbf);
  await withServer(lab, async () => {
    let open = links;
    for (let round = 0; round < 2 && open.length > 0; round += 1) {
      for (const group of groupsOf(open, togetherMbits)) await measureGroup(lab, group, streamMs);
      open = round === 0 ? open.filter((link) => correct(link, tolerance)) : [];
      for (const { link, tbf } of open) await lab.shape(link, tbf);
    }
  });
  return links;
}

/** Payload that one unshaped link carries now, Mbit/s: what the machine itself can do. */
export async function measureUnshaped(lab: Lab, place: string, streamMs = 1_500): Promise<number> {
  await lab.shape(place, null);
  return withServer(lab, () => stream(lab, place, 'up', streamMs));
}

/** Whether the link was off and is set anew. */
function correct(link: CalibratedLink, tolerance: number): boolean {
  let changed = false;
  for (const [direction, measured] of [
    ['up', link.upMbits],
    ['down', link.downMbits],
  ] as const) {
    const factor = link.askedMbits / measured;
    if (Math.abs(factor - 1) <= tolerance || factor > LARGEST_CORRECTION || factor < 1 / LARGEST_CORRECTION) continue;
    link.tbf[direction] *= factor;
    changed = true;
  }
  return changed;
}

async function measureGroup(lab: Lab, group: readonly CalibratedLink[], streamMs: number): Promise<void> {
  await Promise.all(
    group.map(async (link) => {
      link.upMbits = await stream(lab, link.link, 'up', streamMs);
    }),
  );
  await Promise.all(
    group.map(async (link) => {
      link.downMbits = await stream(lab, link.link, 'down', streamMs);
    }),
  );
}

function groupsOf(links: readonly CalibratedLink[], togetherMbits: number): CalibratedLink[][] {
  const groups: CalibratedLink[][] = [];
  let carried = Number.POSITIVE_INFINITY;
  for (const link of links) {
    if (carried + link.askedMbits > togetherMbits) {
      groups.push([]);
      carried = 0;
    }
    groups.at(-1)!.push(link);
    carried += link.askedMbits;
  }
  return groups;
}

async function stream(lab: Lab, place: string, direction: 'up' | 'down', streamMs: number): Promise<number> {
  const words = [PROGRAM, 'measure', lab.studio.address, String(PORT), direction, String(streamMs)];
  const { command, args } = lab.inside(place, process.execPath, words);
  const mbits = Number(await run(command, args));
  if (mbits > 0) return mbits;
  throw new FarmError('ServiceFailed', `Nothing crossed the link of ${place}.`, { link: place });
}

async function withServer<T>(lab: Lab, work: () => Promise<T>): Promise<T> {
  const { command, args } = lab.inside('studio', process.execPath, [
    PROGRAM,
    'serve',
    lab.studio.address,
    String(PORT),
  ]);
  const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    await Promise.race([once(server.stdout, 'data'), ended]);
    return await work();
  } finally {
    server.stdin.end();
    await ended;
  }
}
