/** `farm node join`: this machine renders for a farm. */
import { spawn } from 'node:child_process';
import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { distFolder } from '../../infra/stack/paths.ts';
import { PROGRAM_FLAGS } from '../../infra/stack/program-flags.ts';
import { refuse } from '../sdk/errors.ts';
import { withErrors } from './run.ts';

interface JoinFlags {
  token?: string;
  name: string;
  home: string;
  threads: string;
  site: string;
}

export function addNode(program: Command): void {
  const node = program.command('node').description('Render for a farm with this machine');
  node
    .command('join')
    .argument('<gateway>', 'address of the farm, such as https://farm.example.com')
    .description('Join a farm and render until Ctrl-C; the chunk in hand is handed back then')
    .option('--token <secret>', 'join token that the operator handed out (else FARM_JOIN_TOKEN)')
    .option('--name <name>', 'name of this node', hostname().replace(/[^a-zA-Z0-9._-]/g, '-'))
    .option('--home <folder>', "folder for the node's key and cache", '.farm-node')
    .option('--threads <n>', 'threads to render with', String(availableParallelism()))
    .option('--site <name>', 'site this node belongs to', 'local')
    .action(withErrors(join_));
}

async function join_(gateway: string, flags: JoinFlags): Promise<void> {
  const token = flags.token ?? process.env.FARM_JOIN_TOKEN;
  if (!token) {
    throw refuse('SettingInvalid', 'A join token is needed.', 'Ask the operator of the farm, then add --token.', {
      setting: 'token',
    });
  }
  if (!URL.canParse(gateway)) {
    throw refuse('SettingInvalid', `"${gateway}" is not an address.`, 'Write it as https://farm.example.com.', {
      gateway,
    });
  }
  const child = spawn(process.execPath, [...PROGRAM_FLAGS, join(distFolder, 'workers', 'node', 'main.js')], {
    stdio: 'inherit',
    env: {
      ...process.env,
      FARM_GATEWAY_URL: gateway.replace(/\/+$/, ''),
      FARM_JOIN_TOKEN: token,
      FARM_NODE_NAME: flags.name,
      FARM_NODE_HOME: resolve(flags.home),
      FARM_NODE_THREADS: flags.threads,
      FARM_NODE_SITE: flags.site,
    },
  });
  // Ctrl-C reaches the node by itself, as it shares the terminal; it hands its chunk back and ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)));
}
