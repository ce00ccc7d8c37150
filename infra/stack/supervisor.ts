/**
 * The long-lived process of a farm: starts everything, keeps the farm's processes running, answers at its socket, and
 * stops everything in order. Started by `up` in `commands.ts`, with an IPC channel over which it tells how the start goes.
 *
 * Environment beside the farm's own: `FARM_HOME` (absolute), `FARM_NODES` (default 2), `FARM_ATTACHED=1` when the farm
 * shall not outlive the process that started it, `FARM_VOLATILE=1` for tests.
 */

import { rmSync } from 'node:fs';
import { FarmError, type Problem, toProblem } from '../../domain/errors.ts';
import { openDoor, socketPath } from './control-socket.ts';
import { Farm, type FarmStatus, type StartProgress } from './farm.ts';
import { releaseHome, takeHome } from './home-lock.ts';
import { farmHome } from './paths.ts';

/** What the supervisor tells its parent while it starts. */
export type SupervisorMessage =
  | { type: 'progress'; progress: StartProgress }
  | { type: 'ready'; status: FarmStatus }
  | { type: 'failed'; problem: Problem };

const home = farmHome();
const attached = process.env.FARM_ATTACHED === '1';
const log = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
const tell = (message: SupervisorMessage) => {
  if (process.connected) process.send?.(message, () => {});
};

const farm = new Farm({
  home,
  variables: process.env,
  nodes: nodeCount(process.env.FARM_NODES),
  volatile: process.env.FARM_VOLATILE === '1',
  onProgress: (progress) => tell({ type: 'progress', progress }),
  log,
});

let stopping: Promise<void> | undefined;
let starting: Promise<void> = Promise.resolve();

/** Stops everything once, whoever asks and however often, and ends this process. */
function stop(reason: string, exitCode = 0): Promise<void> {
  stopping ??= (async () => {
    log(`Stopping: ${reason}.`);
    // A start that is under way is let through: stopping half of it would leave the other half.
    await starting.catch(() => {});
    await farm.stop();
    rmSync(socketPath(home), { force: true });
    releaseHome(home);
    log('Stopped.');
    setImmediate(() => process.exit(exitCode));
  })().catch((error) => {
    // Whatever did not stop in order is ended by the watchdog when this process is gone.
    log(`Stopping failed: ${error instanceof Error ? error.stack : error}`);
    process.exit(1);
  });
  return stopping;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
process.on('disconnect', () => {
  if (attached) void stop('the process that started the farm is gone');
});
process.on('uncaughtException', (error) => {
  log(error.stack ?? error.message);
  void stop('a defect of the supervisor', 1);
});

async function handle(method: string, path: string): Promise<unknown> {
  const [, action, name, verb] = path.split('/');
  if (method === 'GET' && action === 'status') return farm.status();
  if (method === 'POST' && action === 'stop') {
    // The answer comes when everything has stopped.
    await stop('farm down');
    return {};
  }
  if (method === 'POST' && action?.startsWith('studios?')) {
    const query = new URLSearchParams(action.slice('studios?'.length));
    const field = (name: string) => query.get(name) ?? '';
    return farm.openStudio({ slug: field('slug'), name: field('name'), currency: field('currency') });
  }
  if (method === 'POST' && action === 'processes' && name) {
    const target = decodeURIComponent(name);
    if (verb === 'kill') return { pid: await farm.kill(target) };
    if (verb === 'start') return farm.startProcess(target).then(() => ({}));
  }
  throw new FarmError('NotFound', `${method} ${path} is nothing that the supervisor does.`);
}

function nodeCount(text: string | undefined): number {
  const count = Number(text || 2);
  if (Number.isInteger(count) && count >= 0 && count <= 64) return count;
  throw new FarmError('SettingInvalid', `FARM_NODES must be a whole number from 0 to 64, not "${text}".`, {
    variable: 'FARM_NODES',
  });
}

if (!takeHome(home)) {
  // Another one is there or just starting; `up` finds it.
  const problem = toProblem(new FarmError('JobStateConflict', `A farm is already running in ${home}.`, { home }));
  process.send?.({ type: 'failed', problem } satisfies SupervisorMessage, () => process.exit(8));
} else {
  await openDoor(home, handle);
  starting = farm.start();
  try {
    await starting;
    log('Running.');
    tell({ type: 'ready', status: farm.status() });
  } catch (error) {
    const problem = toProblem(error);
    log(`${problem.code}: ${problem.message}`);
    tell({ type: 'failed', problem });
    await stop('the start failed', 6);
  }
}
