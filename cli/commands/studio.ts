/** `farm studio add`: open a studio on the farm of this folder. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { addStudio } from '../../infra/stack/commands.ts';
import { farmHome } from '../connection.ts';
import { printJson, withErrors } from './run.ts';

export function addStudioCommands(program: Command): void {
  const studio = program.command('studio').description('Studios of the farm of this folder');
  studio
    .command('add')
    .argument('<slug>', 'short name, such as north-light')
    .description('Open a studio; prints its API key once')
    .option('--name <name>', 'name on invoices (default: the slug)')
    .option('--currency <code>', 'currency of its invoices', 'EUR')
    .option('--json', 'print JSON')
    .action(
      withErrors(async (slug: string, flags: { name?: string; currency: string; json?: boolean }) => {
        const input = { slug, name: flags.name ?? slug, currency: flags.currency };
        const opened = await addStudio(input, { home: farmHome() });
        if (flags.json) printJson(opened);
        else {
          process.stdout.write(
            `${pc.bold(opened.slug)} is open.\n  account  ${opened.account}\n  key      ${opened.key}\n` +
              `  ${pc.dim('Keep the key; it is not shown again. Use it as FARM_KEY.')}\n`,
          );
        }
      }),
    );
}
