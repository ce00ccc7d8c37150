/** `farm site agent`: what the operator of a site runs beside its store. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { distFolder } from '../../infra/stack/paths.ts';
import { PROGRAM_FLAGS } from '../../infra/stack/program-flags.ts';
import { withErrors } from './run.ts';

/** @param site the command `farm site` */
export function addSiteAgent(site: Command): void {
  site
    .command('agent')
    .description("Verify frames beside this site's store until Ctrl-C; settings by environment (docs/data-plane.md)")
    .action(withErrors(agent));
}

async function agent(): Promise<void> {
  const program = join(distFolder, 'workers', 'site', 'main.js');
  const child = spawn(process.execPath, [...PROGRAM_FLAGS, program], { stdio: 'inherit' });
  // Ctrl-C reaches the agent by itself, as it shares the terminal.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)));
}
