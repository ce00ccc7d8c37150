/** `farm gc`: what the stores hold, for operators. */
import type { Command } from 'commander';
import { connectAsOperator } from '../connection.ts';
import { bytes } from '../output/duration.ts';
import { table } from '../output/table.ts';
import { printJson, withErrors } from './run.ts';

export function addStore(program: Command): void {
  program
    .command('gc')
    .description('Remove from all stores what nothing names (operators; the farm does so by itself, once an hour)')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .action(withErrors(gc));
}

async function gc(flags: { dryRun?: boolean; json?: boolean }): Promise<void> {
  const report = await connectAsOperator().collectGarbage({ dryRun: flags.dryRun ?? false });
  if (flags.json) {
    printJson(report);
    return;
  }
  const rows = table(report.places, [
    { title: 'store', value: ({ site }) => site ?? 'home' },
    { title: 'objects', right: true, value: ({ seen, unreachable }) => (unreachable ? 'no answer' : String(seen)) },
    { title: report.dryRun ? 'would go' : 'gone', right: true, value: ({ objects }) => String(objects) },
    { title: 'bytes', right: true, value: (place) => bytes(place.bytes) },
  ]);
  process.stdout.write(`${rows}\n`);
  if (report.evicted > 0) process.stdout.write(`${report.evicted} entries of the frame cache evicted\n`);
}
