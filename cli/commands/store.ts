/** `farm gc` and `farm fsck`: what the stores hold, for operators. */
import type { Command } from 'commander';
import { connectAsOperator } from '../connection.ts';
import { bytes } from '../output/duration.ts';
import { table } from '../output/table.ts';
import { FarmApiError } from '../sdk/errors.ts';
import type { StoreCheckReport } from '../sdk/types.ts';
import { printJson, withErrors } from './run.ts';

export function addStore(program: Command): void {
  program
    .command('gc')
    .description('Remove from all stores what nothing names (operators; the farm does so by itself, once an hour)')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .action(withErrors(gc));
  program
    .command('fsck')
    .description('Read and hash everything that should be in the stores (operators)')
    .option('--repair', 'mend what is wrong from another copy')
    .option('--json', 'print JSON')
    .action(withErrors(fsck));
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

type Damage = StoreCheckReport['damages'][number];

async function fsck({ repair = false, json }: { repair?: boolean; json?: boolean }): Promise<void> {
  const client = connectAsOperator();
  const damages: Damage[] = [];
  const unreachable = new Set<string>();
  let checked = 0;
  let cursor: string | undefined;
  do {
    const round = await client.checkStores({ cursor, repair });
    checked += round.checked;
    damages.push(...round.damages);
    for (const site of round.unreachable) unreachable.add(site);
    if (!json) process.stdout.write(round.damages.map((damage) => `${damageText(damage)}\n`).join(''));
    if (process.stderr.isTTY) process.stderr.write(`\r${checked} objects read`);
    cursor = round.nextCursor ?? undefined;
  } while (cursor !== undefined);
  const left = damages.filter(({ outcome }) => outcome === 'kept').length;
  if (json) printJson({ checked, damages, unreachable: [...unreachable] });
  else {
    if (process.stderr.isTTY) process.stderr.write('\r');
    process.stdout.write(`${checked} objects read, ${damages.length} damaged, ${damages.length - left} mended\n`);
    for (const site of unreachable) process.stdout.write(`not looked at, no answer: ${site}\n`);
  }
  if (left === 0 && unreachable.size === 0) return;
  throw new FarmApiError({
    code: left > 0 ? 'HashMismatch' : 'StoreFailed',
    detail: left > 0 ? `${left} objects are damaged.` : `No answer from ${[...unreachable].join(', ')}.`,
    place: { damaged: left },
    remedy: repair ? 'Upload or render again what is named above.' : 'Run "farm fsck --repair".',
    status: 502,
  });
}

/** What is damaged, what was done, and each file that names it. */
function damageText({ kind, hash, site, condition, outcome, recoverable, namedBy }: Damage): string {
  const done = {
    copied: 'copied from another place',
    forgotten: 'a copy, given up',
    kept: recoverable ? 'another place has it' : 'no place has it',
  };
  const head = `${condition} ${kind}/${hash} at ${site ?? 'home'}: ${done[outcome]}`;
  return [head, ...namedBy.map(({ name, of, path, offset }) => `  ${name} ${of}  ${path} at byte ${offset}`)].join(
    '\n',
  );
}
