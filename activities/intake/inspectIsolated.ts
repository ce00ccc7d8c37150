/** Reads a scene in a process of its own, since a file from a stranger may be made to use up memory or time. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FarmError, fromProblem, type Problem } from '../../domain/errors.ts';
import type { SceneInspection } from '../../domain/scene.ts';
import type { SceneChoice, SceneFiles } from '../../renderer/engine.ts';

export interface InspectionQuestion {
  files: SceneFiles;
  choice: SceneChoice;
}
export type InspectionAnswer = 'ready' | { inspection: SceneInspection } | { problem: Problem };

export interface InspectionBounds {
  seconds: number;
  /** Of V8's heap; on Linux of the whole process. */
  memoryMiB: number;
}

const MEMORY_CHECK_MS = 200;
const PAGE_BYTES = 4096;

/**
 * The engine's answer. Throws what the engine throws, `SceneTooLarge` when the scene needs more memory than allowed, and
 * `SceneInvalid` when reading it takes too long or ends the process. An abort ends the process too.
 */
export async function inspectIsolated(
  { files, choice }: InspectionQuestion,
  bounds: InspectionBounds,
  signal?: AbortSignal,
): Promise<SceneInspection> {
  const child = fork(inspectorPath(), {
    cwd: files.root,
    env: {},
    execArgv: [`--max-old-space-size=${bounds.memoryMiB}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timers: NodeJS.Timeout[] = [];
  try {
    return await new Promise<SceneInspection>((resolve, reject) => {
      const tooLarge = () => {
        const message = `Reading ${files.main} needs more than ${bounds.memoryMiB} MiB of memory.`;
        return new FarmError('SceneTooLarge', message, { file: files.main });
      };
      child.once('error', (error) => reject(new FarmError('ServiceFailed', `No inspection: ${error.message}`)));
      let ready = false;
      child.on('message', (answer: InspectionAnswer) => {
        if (answer === 'ready') ready = true;
        else if ('problem' in answer) reject(fromProblem(answer.problem));
        else resolve(answer.inspection);
      });
      child.once('exit', (code, killedBy) => {
        if (!ready) reject(new FarmError('ServiceFailed', 'The program that inspects scenes does not start.'));
        // V8 ends itself with SIGABRT when its heap is full.
        else if (killedBy === 'SIGABRT' || code === 134) reject(tooLarge());
        else reject(new FarmError('SceneInvalid', `Reading ${files.main} ended unexpectedly.`, { file: files.main }));
      });
      timers.push(
        setTimeout(() => {
          const message = `Reading ${files.main} takes longer than ${bounds.seconds} s.`;
          reject(new FarmError('SceneInvalid', message, { file: files.main }));
        }, bounds.seconds * 1000),
        setInterval(async () => {
          if ((await residentBytes(child)) > bounds.memoryMiB * 2 ** 20) reject(tooLarge());
        }, MEMORY_CHECK_MS),
      );
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      child.send({ files, choice } satisfies InspectionQuestion);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    child.removeAllListeners();
    child.on('error', () => {});
    child.kill('SIGKILL');
  }
}

/** Node cannot run TypeScript, so a caller that runs from its sources (a test) uses the built program. */
function inspectorPath(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.js')) return here.replace(/inspectIsolated\.js$/, 'inspector.js');
  return here.replace(/activities\/intake\/inspectIsolated\.ts$/, 'dist/activities/intake/inspector.js');
}

/** Resident memory by `/proc`; 0 where there is none. */
async function residentBytes({ pid }: ChildProcess): Promise<number> {
  try {
    const pages = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1];
    return Number(pages) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
