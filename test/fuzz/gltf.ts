/**
 * Damages scenes by seed and renders one small frame of each: a clear error or a finite picture, never a hang or a crash:
 * `npm run fuzz:gltf [-- --help]`. Exits with 1 when a case fails.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDemoShot } from '../../renderer/demo/demoShot.ts';
import { numberOf, readCommandLine, wholeNumber } from '../bench/commandLine.ts';
import { damage } from './mutate.ts';
import type { FuzzOutcome } from './renderCase.ts';

const USAGE = `npm run fuzz:gltf [-- --cases 2000] [--seed 1] [--scene FILE.glb …] [--seconds 20] [--keep FOLDER]

Without --scene the demo shot is damaged; --seconds is the longest that a case may take; --keep writes the files down that fail.`;
const { values, cases, seconds } = readCommandLine(
  USAGE,
  {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    scene: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '20' },
    keep: { type: 'string' },
  },
  (values) => ({
    values,
    cases: wholeNumber('cases', values.cases, 1),
    seconds: numberOf('seconds', values.seconds, Number.MIN_VALUE),
  }),
);
const FAILURES = new Set(['NOT FINITE', 'NO CLEAR ERROR', 'HANG', 'CRASH']);

/** A child that renders case after case, and is replaced when one hangs or ends it. */
class Renderer {
  private child: ChildProcess | undefined;

  async run(bytes: Buffer, milliseconds: number): Promise<FuzzOutcome> {
    this.child ??= await this.start();
    const child = this.child;
    child.send({ bytes: bytes.toString('base64') });
    const answer = await this.answer(child, milliseconds);
    if (FAILURES.has(answer.outcome)) await this.stop();
    return answer;
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  private async start(): Promise<ChildProcess> {
    const name = import.meta.url.includes('/dist/') ? 'renderCase.js' : 'renderCase.ts';
    const child = fork(fileURLToPath(new URL(name, import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { outcome, message } = await this.answer(child, 60_000);
    if (outcome !== 'ready') throw new Error(`The renderer does not start: ${outcome} ${message}`);
    return child;
  }

  private answer(child: ChildProcess, milliseconds: number): Promise<FuzzOutcome> {
    return new Promise((resolve) => {
      const done = (outcome: FuzzOutcome): void => {
        clearTimeout(timer);
        child.removeAllListeners('message').removeAllListeners('exit');
        resolve(outcome);
      };
      const timer = setTimeout(
        () => done({ outcome: 'HANG', message: `no answer within ${milliseconds} ms` }),
        milliseconds,
      );
      child.once('message', (answer: FuzzOutcome) => done(answer));
      child.once('exit', (code, signal) => done({ outcome: 'CRASH', message: `ended with ${code ?? signal}` }));
    });
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'framewright-fuzz-'));
const renderer = new Renderer();
const counts = new Map<string, number>();
let failed = 0;
try {
  const paths = values.scene ?? [join(scratch, 'demo.glb')];
  if (!values.scene) await buildDemoShot(paths[0]!);
  const scenes = await Promise.all(paths.map(async (path) => ({ name: basename(path), bytes: await readFile(path) })));
  for (let number = 0; number < cases; number++) {
    const scene = scenes[number % scenes.length]!;
    const { kind, bytes } = damage(scene.bytes, `${values.seed}:${scene.name}:${number}`);
    const { outcome, message } = await renderer.run(bytes, seconds * 1_000);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (!FAILURES.has(outcome)) continue;
    failed++;
    console.log(`case ${number} of ${scene.name} (${kind}): ${outcome}: ${message}`);
    if (!values.keep) continue;
    await mkdir(values.keep, { recursive: true });
    await writeFile(join(values.keep, `${number}-${scene.name}`), bytes);
  }
} finally {
  await renderer.stop();
  await rm(scratch, { recursive: true, force: true });
}
for (const [outcome, count] of [...counts].sort((a, b) => b[1] - a[1]))
  console.log(`${String(count).padStart(7)} ${outcome}`);
console.log(`${cases - failed} passed, ${failed} failed (seed ${values.seed})`);
process.exit(failed > 0 ? 1 : 0);
