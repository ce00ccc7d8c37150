/** A chain for one test file: anvil on a free port, with accounts of a fixed phrase. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Phrase of every development chain in the world: its accounts own nothing anywhere else. */
export const TEST_MNEMONIC = 'test test test test test test test test test test test junk';

/** A running chain. */
export interface Anvil {
  rpcUrl: string;
  /** JSON-RPC call for what only a development chain can do. */
  send(method: string, params?: unknown[]): Promise<unknown>;
  /** Ends it and waits until it is gone; with a state file, it writes its state first. */
  stop(): Promise<void>;
}

/** Starts anvil and waits until it listens. `statePath`: where it keeps its blocks over a restart. */
export async function startAnvil(options: { statePath?: string; chainId?: number } = {}): Promise<Anvil> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const manifest = `@foundry-rs/anvil-${process.platform}-${arch}/package.json`;
  const binary = join(dirname(createRequire(import.meta.url).resolve(manifest)), 'bin', 'anvil');
  const args = ['--host', '127.0.0.1', '--port', '0', '--mnemonic', TEST_MNEMONIC];
  args.push('--chain-id', String(options.chainId ?? 31_337));
  if (options.statePath) args.push('--state', options.statePath);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const rpcUrl = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const address = /Listening on (\S+)/.exec(line)?.[1];
      if (address) resolve(`http://${address}`);
    });
    child.once('error', reject);
    exited.then(() => reject(new Error('anvil ended before it listened')));
  });
  return {
    rpcUrl,
    async send(method, params = []) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const headers = { 'content-type': 'application/json' };
      const answer = await (await fetch(rpcUrl, { method: 'POST', headers, body })).json();
      if (answer.error) throw new Error(answer.error.message);
      return answer.result;
    },
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
  };
}
