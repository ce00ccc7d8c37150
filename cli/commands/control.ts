/** Commands that change a job: `accept`, `decline`, `pause`, `resume`, `cancel`, `raise-cap`. */
import type { Command } from 'commander';
import { connect } from '../connection.ts';
import type { FarmClient } from '../sdk/client.ts';
import { refuse } from '../sdk/errors.ts';
import { parseToken } from '../sdk/money.ts';
import type { JobView } from '../sdk/types.ts';
import { printJson, withErrors } from './run.ts';

type Act = (client: FarmClient, id: string) => Promise<JobView | undefined>;

export function addControl(program: Command): void {
  const add = (name: string, description: string, act: Act): void => {
    program
      .command(name)
      .argument('<job>', 'id of the job')
      .description(description)
      .option('--json', 'print JSON')
      .action(
        withErrors(async (id: string, flags: { json?: boolean }) => {
          show(await act(connect(), id), flags);
        }),
      );
  };
  add('decline', 'Refuse a quote; what the submission brought is deleted', async (client, id) => {
    await client.declineJob(id);
    return undefined;
  });
  add('pause', 'Stop rendering; nodes hand their frames back', (client, id) => client.pauseJob(id));
  add('resume', 'Go on rendering', (client, id) => client.resumeJob(id));
  add('cancel', 'End a job; committed frames stay yours, the rest of the escrow comes back', (client, id) =>
    client.cancelJob(id),
  );
  program
    .command('accept')
    .argument('<job>', 'id of the job')
    .description('Take a quote and start rendering')
    .option('--cap <CMP>', 'spend at most this (default: the suggested cap)')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (id: string, flags: { cap?: string; json?: boolean }) => {
        const client = connect();
        show(await client.acceptJob(id, await amountOf(client, flags.cap)), flags);
      }),
    );
  program
    .command('raise-cap')
    .argument('<job>', 'id of the job')
    .argument('<CMP>', 'the new cap')
    .description('Let a job spend more; it goes on where it paused')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (id: string, cap: string, flags: { json?: boolean }) => {
        const client = connect();
        show(await client.raiseCap(id, (await amountOf(client, cap))!), flags);
      }),
    );
}

async function amountOf(client: FarmClient, text: string | undefined): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const amount = parseToken(text, (await client.farm()).token.decimals);
  if (amount !== undefined) return amount;
  throw refuse('SettingInvalid', `"${text}" is not an amount.`, 'Write it as 25 or 0.5.', { setting: 'cap' });
}

function show(job: JobView | undefined, flags: { json?: boolean }): void {
  if (flags.json) printJson(job ?? {});
  else process.stdout.write(job ? `${job.name}: ${job.status}\n` : 'done\n');
}
