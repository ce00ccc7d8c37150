/** The `farm` command: every subcommand is a file in `commands/`. */
import { Command } from 'commander';
import { farmVersion } from '../infra/stack/paths.ts';
import { addControl } from './commands/control.ts';
import { addDemo } from './commands/demo.ts';
import { addFarm } from './commands/farm.ts';
import { addInspect } from './commands/inspect.ts';
import { addInvoice } from './commands/invoice.ts';
import { addJobs } from './commands/jobs.ts';
import { addMerge } from './commands/merge.ts';
import { addNode } from './commands/node.ts';
import { addPull } from './commands/pull.ts';
import { addRender } from './commands/render.ts';
import { addRepro } from './commands/repro.ts';
import { addSite } from './commands/site.ts';
import { addStore } from './commands/store.ts';
import { addStudioCommands } from './commands/studio.ts';
import { addSubmit } from './commands/submit.ts';

const program = new Command('farm')
  .description('Framewright: offline render farm with on-chain billing')
  .version(farmVersion())
  .showHelpAfterError('(add --help for the options)')
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true });

addFarm(program);
addInspect(program);
addRender(program);
addMerge(program);
addRepro(program);
addSubmit(program);
addJobs(program);
addControl(program);
addPull(program);
addInvoice(program);
addNode(program);
addSite(program);
addStore(program);
addStudioCommands(program);
addDemo(program);

// Usage mistakes end with 2, as scripts expect; commander's own default is 1.
const endWithTwo = (command: Command): void => {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  for (const one of command.commands) endWithTwo(one);
};
endWithTwo(program);
await program.parseAsync();
