/** `farm up`, `down`, `status`, `reset` and what the demonstration does to its own nodes, as functions that return data. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FarmError, fromProblem, type Problem } from '../../domain/errors.ts';
import { ask } from './control-socket.ts';
import type { FarmStatus, StartProgress } from './farm.ts';
import { holderOf } from './home-lock.ts';
import { endOrphans } from './keeper.ts';
import { lastLines } from './managed-process.ts';
import { distFolder, farmHome } from './paths.ts';
import { peekState } from './state.ts';
import type { OpenedStudio } from './studios.ts';
import type { SupervisorMessage } from './supervisor.ts';

export interface UpOptions {
  /** Absolute folder of the farm's state; `FARM_HOME` or `.farm` unless said otherwise. */
  home?: string;
  /** The farm goes on when this process ends. Otherwise it stops with it, however it ends. */
  detach?: boolean;
  /** How many nodes of its own it starts; `FARM_NODES`, else 2. */
  nodes?: number;
  /** Called for each step of the start as it begins and ends. */
  onProgress?: (progress: StartProgress) => void;
  /** More environment for the supervisor (tests). */
  variables?: Record<string, string>;
}

export interface UpResult {
  /** False when a farm was running in this home already. */
  started: boolean;
  status: FarmStatus;
}

/**
 * Starts the farm of a home, or finds the one that runs there.
 * @throws FarmError with the reason when it does not come up; nothing is left running then
 */
export async function up(options: UpOptions = {}): Promise<UpResult> {
  const home = options.home ?? farmHome();
  for (let attempt = 1; ; attempt += 1) {
    const running = await findRunning(home);
    if (running) return { started: false, status: running };
    try {
      return { started: true, status: await startSupervisor(home, options) };
    } catch (error) {
      // Somebody else was quicker: the next round finds theirs.
      if (!(error instanceof FarmError && error.code === 'JobStateConflict') || attempt === 5) throw error;
      await sleep(200);
    }
  }
}

/** Stops the farm of a home in order. @returns whether one was running. */
export async function down(options: { home?: string } = {}): Promise<{ stopped: boolean }> {
  const home = options.home ?? farmHome();
  const holder = holderOf(home);
  if (!holder) return { stopped: (await endOrphans(home)) > 0 };
  try {
    await ask(home, 'POST', '/stop', 90_000);
  } catch (error) {
    // The door closes while it answers, or it hangs.
    if (holderOf(home)?.pid === holder.pid) process.kill(holder.pid, 'SIGTERM');
    else if (!(error instanceof FarmError)) throw error;
  }
  const deadline = Date.now() + 30_000;
  while (holderOf(home)?.pid === holder.pid) {
    if (Date.now() > deadline) {
      // Its watchdog ends the rest.
      process.kill(holder.pid, 'SIGKILL');
    }
    await sleep(50);
  }
  return { stopped: true };
}

/** What runs. @throws FarmError `StackNotRunning` */
export function status(options: { home?: string } = {}): Promise<FarmStatus> {
  return ask<FarmStatus>(options.home ?? farmHome(), 'GET', '/status', 5000);
}

/** Ends one of the farm's own processes (`node-1`, `control`, …) with `kill -9` and leaves it down. @returns its pid. */
export async function killProcess(name: string, options: { home?: string } = {}): Promise<number> {
  const path = `/processes/${encodeURIComponent(name)}/kill`;
  return (await ask<{ pid: number }>(options.home ?? farmHome(), 'POST', path)).pid;
}

/** Starts one of the farm's own processes that is down, and waits until it is ready. */
export async function startOneProcess(name: string, options: { home?: string } = {}): Promise<void> {
  await ask(options.home ?? farmHome(), 'POST', `/processes/${encodeURIComponent(name)}/start`, 90_000);
}

/** Opens a studio on the running farm. @returns its key, which is shown once */
export function addStudio(
  input: { slug: string; name: string; currency: string },
  options: { home?: string } = {},
): Promise<OpenedStudio> {
  return ask<OpenedStudio>(options.home ?? farmHome(), 'POST', `/studios?${new URLSearchParams(input)}`, 60_000);
}

/** Stops the farm and removes everything that it keeps on this machine. Programs in the cache stay. @returns removed folders. */
export async function reset(options: { home?: string } = {}): Promise<{ removed: string[] }> {
  const home = options.home ?? farmHome();
  if (!existsSync(home)) return { removed: [] };
  const state = peekState(home);
  if (!state) {
    throw new FarmError('FileNotFound', `${home} is not a farm's home: it has no state.json. Nothing was removed.`, {
      home,
    });
  }
  await down({ home });
  const removed = [home, ...(state.databaseFolder ? [state.databaseFolder] : [])];
  for (const folder of removed) rmSync(folder, { recursive: true, force: true });
  return { removed };
}

/** A farm that runs, after waiting for one that is just starting or stopping. */
async function findRunning(home: string): Promise<FarmStatus | undefined> {
  const deadline = Date.now() + 120_000;
  while (holderOf(home)) {
    const current = await status({ home }).catch(() => undefined);
    if (current?.phase === 'running') return current;
    if (Date.now() > deadline) {
      throw new FarmError('ServiceFailed', `A supervisor holds ${home} but does not get ready. Try "farm down".`, {
        home,
      });
    }
    await sleep(200);
  }
  return undefined;
}

function startSupervisor(home: string, options: UpOptions): Promise<FarmStatus> {
  const program = join(distFolder, 'infra', 'stack', 'supervisor.js');
  if (!existsSync(program)) {
    throw new FarmError('BinaryMissing', `${program} is not there. Run "npm run build".`, { path: program });
  }
  const logPath = join(home, 'logs', 'supervisor.log');
  mkdirSync(join(home, 'logs'), { recursive: true });
  if (existsSync(logPath)) renameSync(logPath, `${logPath}.previous`);
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: home,
    // A group of its own: Ctrl-C reaches only the process that started it, which then stops the farm in order.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: {
      ...process.env,
      ...options.variables,
      FARM_HOME: home,
      FARM_ATTACHED: options.detach ? '0' : '1',
      ...(options.nodes === undefined ? {} : { FARM_NODES: String(options.nodes) }),
    },
  });
  return new Promise((resolve, reject) => {
    let problem: Problem | undefined;
    const settle = (finish: () => void) => {
      // The channel stays open while attached: its end tells the supervisor that we are gone. It must not keep us here.
      child.removeAllListeners('message');
      child.removeAllListeners('exit');
      if (options.detach) child.disconnect();
      else child.channel?.unref();
      child.unref();
      finish();
    };
    child.on('message', (raw) => {
      const message = raw as SupervisorMessage;
      if (message.type === 'progress') options.onProgress?.(message.progress);
      if (message.type === 'ready') settle(() => resolve(message.status));
      // It stops what it had started, then ends.
      if (message.type === 'failed') problem = message.problem;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (problem) reject(fromProblem(problem));
      else
        reject(
          new FarmError(
            'ServiceFailed',
            `The supervisor ended with ${signal ?? `code ${code}`}.${lastLines(logPath)}`,
            { log: logPath },
          ),
        );
    });
  });
}
