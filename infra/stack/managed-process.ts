/** Starts one process of the stack, waits until it serves, and says why when it does not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError } from '../../domain/errors.ts';
import type { Keeper } from './keeper.ts';
import { signalGroup } from './process-table.js';

export interface ProcessSpec {
  /** As people read it in messages: `Temporal`. */
  name: string;
  /** Absolute path; checked with `checkProgram` by the caller where it is not ours. */
  command: string;
  args: string[];
  /** The whole environment beside PATH, HOME, LANG, TZ and the stack's id. */
  env?: Record<string, string>;
  cwd?: string;
  /** Another user to run as; only root can. */
  user?: { uid: number; gid: number };
  /** Gets stdout and stderr; the last run's is kept as `….previous`. */
  logPath: string;
  /** Ends it politely. */
  stopSignal?: NodeJS.Signals;
  /** After this it is ended for good. */
  stopTimeoutMs?: number;
  /** One of ours: an IPC channel and an open standard input, through which it learns that the parent is gone. */
  ipc?: boolean;
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  name: string;
  pid: number;
  child: ChildProcess;
  logPath: string;
  /** Settles when it has ended, wanted or not. */
  exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit: Exit | undefined;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts the process and registers it with the keeper. @throws FarmError `BinaryMissing` when it cannot be started. */
export async function startProcess(spec: ProcessSpec, keeper: Keeper): Promise<ManagedProcess> {
  mkdirSync(dirname(spec.logPath), { recursive: true });
  if (existsSync(spec.logPath)) renameSync(spec.logPath, `${spec.logPath}.previous`);
  const log = openSync(spec.logPath, 'w', 0o600);
  const { PATH, HOME, LANG, TZ } = process.env;
  const inherited = Object.fromEntries(
    Object.entries({ PATH, HOME, LANG, TZ }).filter(([, value]) => value !== undefined),
  );
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...inherited, ...spec.env, FARM_STACK_ID: keeper.stackId } as NodeJS.ProcessEnv,
    // A group of its own: Ctrl-C reaches only the parent, which stops everything in order.
    detached: true,
    stdio: spec.ipc ? ['pipe', log, log, 'ipc'] : ['ignore', log, log],
    ...spec.user,
  });
  if (child.pid !== undefined) keeper.register(child.pid, spec.stopSignal);
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new FarmError(
          'BinaryMissing',
          `${spec.name} cannot be started: ${error.message}`,
          { path: spec.command },
          { cause: error },
        ),
      );
    });
  });
  const pid = child.pid!;
  const started: ManagedProcess = {
    name: spec.name,
    pid,
    child,
    logPath: spec.logPath,
    exit: undefined,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        started.exit = { code, signal };
        keeper.forget(pid);
        resolve(started.exit);
      });
    }),
    async stop() {
      if (started.exit) return;
      try {
        process.kill(pid, spec.stopSignal ?? 'SIGTERM');
      } catch {
        // It has just ended by itself; the news is on its way.
      }
      const late = AbortSignal.timeout(spec.stopTimeoutMs ?? 10_000);
      late.addEventListener('abort', () => started.exit || signalGroup(pid, 'SIGKILL'), { once: true });
      await started.exited;
    },
  };
  return started;
}

/**
 * Waits until a service answers.
 * @param answers asked every 50 ms; what it throws counts as "not yet" and is told if time runs out
 * @throws FarmError `PortTaken`, `DiskFull` or `ServiceFailed` with the reason and the last lines of its log
 */
export async function untilReady(
  service: ManagedProcess,
  answers: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  while (Date.now() < deadline) {
    if (service.exit) throw explainExit(service);
    try {
      // It may end while the question is still open, and somebody else may sit at its port.
      const answer = await Promise.race([answers(), service.exited.then(() => false)]);
      if (answer && !service.exit) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await Promise.race([sleep(50), service.exited]);
  }
  const tail = lastLines(service.logPath);
  await service.stop();
  throw new FarmError(
    'ServiceFailed',
    `${service.name} did not answer within ${timeoutMs / 1000} s (${last}).${tail}`,
    { service: service.name },
  );
}

/** Why a process ended by itself, as far as its log tells. */
export function explainExit(service: ManagedProcess): FarmError {
  const tail = lastLines(service.logPath);
  const { code, signal } = service.exit ?? { code: null, signal: null };
  const place = { service: service.name, log: service.logPath };
  if (
    /address already in use|could not bind|port is already in use|AddrInUse|EADDRINUSE|Specified port is already in use/i.test(
      tail,
    )
  ) {
    return new FarmError('PortTaken', `${service.name} found its port in use by another program.${tail}`, place);
  }
  if (/no space left on device|ENOSPC|disk (is )?full|drive path full|quota exceeded/i.test(tail)) {
    return new FarmError('DiskFull', `${service.name} ran out of disk space.${tail}`, place);
  }
  return new FarmError('ServiceFailed', `${service.name} ended with ${signal ?? `code ${code}`}.${tail}`, place);
}

/** The last lines of a log, each on a line of its own; empty if there are none. */
export function lastLines(path: string, count = 12): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count);
    const text = lines.map((line) => `\n  ${line}`).join('');
    return text.trim() ? text : '';
  } catch {
    return '';
  }
}

/** Bytes free for us on the disk of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
