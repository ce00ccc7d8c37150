/** Commands for the farm as a whole: `up`, `down`, `status`, `doctor`, `reset`. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { down, reset, status, type UpResult, up } from '../../infra/stack/commands.ts';
import { doctor } from '../../infra/stack/doctor.ts';
import type { FarmStatus, StartProgress } from '../../infra/stack/farm.ts';
import { farmHome, readClientFile } from '../connection.ts';
import { exitCodeOf } from '../output/report.ts';
import { table } from '../output/table.ts';
import { refuse } from '../sdk/errors.ts';
import { printJson, withErrors } from './run.ts';

/** What scripts see while the farm, or a part of it, is not there. */
const NOT_UP = exitCodeOf('StackNotRunning');

interface JsonFlag {
  json?: boolean;
}

export function addFarm(program: Command): void {
  program
    .command('up')
    .description('Start the farm of this folder (FARM_HOME, default .farm) and stay until Ctrl-C')
    .option('--detach', 'return once it runs; stop it with "farm down"')
    .option('--nodes <n>', 'how many nodes to start with it (default 2)')
    .option('--json', 'print JSON')
    .action(withErrors(farmUp));
  program
    .command('down')
    .description('Stop the farm; its state stays')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (flags: JsonFlag) => {
        const result = await down({ home: farmHome() });
        if (flags.json) printJson(result);
        else process.stdout.write(result.stopped ? 'The farm has stopped.\n' : 'No farm was running.\n');
      }),
    );
  program
    .command('status')
    .description(
      'Show what runs; the exit code is 0 once the farm is up, and 6 while it starts or stops or a service is down',
    )
    .option('--json', 'print JSON')
    .action(
      withErrors(async (flags: JsonFlag) => {
        const current = await status({ home: farmHome() });
        if (flags.json) printJson(current);
        else process.stdout.write(`${statusText(current)}\n`);
        const isUp = current.phase === 'running' && current.services.every(({ state }) => state === 'running');
        if (!isUp) process.exitCode = NOT_UP;
      }),
    );
  program
    .command('doctor')
    .description('Check programs, disk, services and processes, with a reason and a remedy for what is wrong')
    .option('--json', 'print JSON')
    .action(withErrors(runDoctor));
  program
    .command('reset')
    .description('Stop the farm and remove everything that it keeps on this machine')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (flags: { yes?: boolean } & JsonFlag) => {
        if (!flags.yes) {
          throw refuse(
            'SettingInvalid',
            `This removes ${farmHome()} with all jobs and invoices.`,
            'Add --yes to do it.',
            {
              home: farmHome(),
            },
          );
        }
        const result = await reset({ home: farmHome() });
        if (flags.json) printJson(result);
        else
          process.stdout.write(
            result.removed.length > 0 ? `Removed ${result.removed.join(', ')}.\n` : 'Nothing to remove.\n',
          );
      }),
    );
}

async function farmUp(flags: { detach?: boolean; nodes?: string } & JsonFlag): Promise<void> {
  const nodes = flags.nodes === undefined ? undefined : Number(flags.nodes);
  if (nodes !== undefined && !(Number.isInteger(nodes) && nodes >= 0 && nodes <= 64)) {
    throw refuse('SettingInvalid', `--nodes is "${flags.nodes}".`, 'Give a whole number from 0 to 64.', {
      setting: 'nodes',
    });
  }
  const result = await startFarm({
    detach: Boolean(flags.detach),
    quiet: Boolean(flags.json),
    ...(nodes === undefined ? {} : { nodes }),
  });
  if (flags.json) printJson(result);
  else process.stdout.write(`${statusText(result.status)}\n`);
  if (flags.detach || !result.started) return;
  if (!flags.json) process.stderr.write(pc.dim('Ctrl-C stops it.\n'));
  await untilInterrupted();
  await stopFarm();
}

/** Starts the farm with a line for each step, or finds the running one. */
export async function startFarm(options: { detach?: boolean; quiet?: boolean; nodes?: number }): Promise<UpResult> {
  const { quiet, ...rest } = options;
  const startedAt = new Map<string, number>();
  const onProgress = ({ step, phase }: StartProgress): void => {
    if (quiet) return;
    if (phase === 'starting') startedAt.set(step, Date.now());
    else {
      const seconds = ((Date.now() - (startedAt.get(step) ?? Date.now())) / 1000).toFixed(1);
      process.stderr.write(
        `  ${phase === 'running' ? pc.green('✓') : pc.red('✗')} ${step} ${pc.dim(`${seconds} s`)}\n`,
      );
    }
  };
  return up({ home: farmHome(), ...rest, onProgress });
}

export async function stopFarm(): Promise<void> {
  process.stderr.write('\nStopping the farm …\n');
  await down({ home: farmHome() });
  process.stderr.write('The farm has stopped; its state stays for the next start.\n');
}

/** Resolves on Ctrl-C or SIGTERM. A second one ends the process at once; the farm then stops by itself. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    // Without a handle of its own the process would end here: the channel to the supervisor does not hold it.
    const alive = setInterval(() => undefined, 1 << 30);
    const done = (): void => {
      clearInterval(alive);
      process.once('SIGINT', () => process.exit(130));
      resolve();
    };
    process.once('SIGINT', done);
    process.once('SIGTERM', done);
  });
}

/** Where the page is, with the key in the fragment, which a browser never sends to a server. */
export function pageUrl(url: string): string {
  const client = readClientFile(farmHome());
  return client ? `${url}/#key=${client.key}` : url;
}

function statusText(current: FarmStatus): string {
  const mark = (state: string): string => (state === 'running' ? pc.green('●') : pc.red('●'));
  return [
    `${pc.bold('Farm')} ${current.phase} in ${current.home}`,
    ...(current.url ? [`  page      ${pc.cyan(pageUrl(current.url))}`] : []),
    ...(current.temporalUrl ? [`  temporal  ${current.temporalUrl}`] : []),
    table(
      [
        ...current.services.map(({ title, state, address, pid }) => ({ name: title, state, pid, detail: address })),
        ...current.processes.map(({ name, state, pid, restarts, lastExit }) => ({
          name,
          state,
          pid,
          detail: restarts > 0 ? `restarted ${restarts} times; ${lastExit ?? ''}` : '',
        })),
      ],
      [
        { title: '', value: ({ state }) => `  ${mark(state)}` },
        { title: 'process', value: ({ name }) => name },
        { title: 'state', value: ({ state }) => state },
        { title: 'pid', right: true, value: ({ pid }) => String(pid ?? '') },
        { title: '', value: ({ detail }) => detail },
      ],
    ),
  ].join('\n');
}

async function runDoctor(flags: JsonFlag): Promise<void> {
  const report = await doctor({ home: farmHome() });
  if (flags.json) printJson(report);
  else {
    for (const { name, ok, detail, remedy } of report.checks) {
      process.stdout.write(`${ok ? pc.green('✓') : pc.red('✗')} ${name}  ${pc.dim(detail)}\n`);
      if (!ok && remedy) process.stdout.write(`  ${pc.cyan('→')} ${remedy}\n`);
    }
  }
  if (!report.ok) process.exitCode = NOT_UP;
}
