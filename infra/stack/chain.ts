/**
 * The embedded EVM chain: anvil, which writes its state every second. A kill loses the blocks of the last second; the
 * settlement treats that as a reorganisation.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { startProcess, untilReady } from './managed-process.ts';
import { checkProgram } from './program.ts';
import { externalService, type RunningService, type ServiceContext } from './service.ts';

const REMEDY = 'Run "npm ci" in the checkout, or set FARM_ANVIL_BIN.';
/** Chain id of development chains; nobody's real chain has it. */
const EMBEDDED_CHAIN_ID = 31_337;
/** How often a whole copy of the state is kept beside the one that anvil overwrites in place. */
const COPY_EVERY_MS = 5000;

/** Starts the chain, or finds the one at `FARM_CHAIN_RPC`. The address is the URL of its JSON-RPC endpoint. */
export async function startChain(context: ServiceContext): Promise<RunningService> {
  const given = context.variables.FARM_CHAIN_RPC;
  if (given) {
    await chainIdOf(given).catch((error) => {
      throw new FarmError(
        'ServiceFailed',
        `The chain does not answer at ${given}: ${error.message}`,
        { address: given },
        { cause: error },
      );
    });
    return externalService('chain', 'Chain', given);
  }
  const program = anvilProgram(context.variables);
  checkProgram('the chain (anvil)', program, REMEDY);
  const port = await context.port('chain', 'the chain', 'FARM_CHAIN_PORT');
  const folder = join(context.home, 'chain');
  mkdirSync(folder, { recursive: true });
  const statePath = join(folder, 'state.json');
  restoreState(statePath);
  const process = await startProcess(
    {
      name: 'the chain',
      command: program,
      args: [
        ...['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(EMBEDDED_CHAIN_ID)],
        ...['--mnemonic', context.state.credentials.chainMnemonic, '--accounts', '20', '--balance', '1000000'],
        ...['--state', statePath, '--state-interval', '1', '--quiet'],
      ],
      cwd: folder,
      logPath: join(context.home, 'logs', 'chain.log'),
      stopSignal: 'SIGINT',
    },
    context.keeper,
  );
  const address = `http://127.0.0.1:${port}`;
  await untilReady(process, async () => (await chainIdOf(address)) === EMBEDDED_CHAIN_ID);
  const copies = setInterval(() => keepCopy(statePath), COPY_EVERY_MS);
  copies.unref();
  process.exited.then(() => clearInterval(copies));
  return { name: 'chain', title: 'Chain', address, process, stop: process.stop };
}

/** Asks a node for its chain id. */
export async function chainIdOf(rpc: string): Promise<number> {
  const answer = await fetch(rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
    signal: AbortSignal.timeout(3000),
  });
  const { result } = (await answer.json()) as { result?: string };
  return Number(result);
}

/** Absolute path of anvil: `FARM_ANVIL_BIN`, else the package that npm has for each platform. @throws FarmError `BinaryMissing` */
export function anvilProgram(variables: NodeJS.ProcessEnv): string {
  if (variables.FARM_ANVIL_BIN) return variables.FARM_ANVIL_BIN;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${arch}`;
  try {
    return join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..', 'bin', 'anvil');
  } catch (error) {
    throw new FarmError(
      'BinaryMissing',
      `The package ${name} is not installed. ${REMEDY}`,
      { service: 'chain' },
      { cause: error },
    );
  }
}

/** A kill while anvil writes leaves half a file, with which it would not start; the last whole copy takes its place. */
function restoreState(path: string): void {
  if (!existsSync(path) || isWhole(path)) return;
  const copy = `${path}.copy`;
  if (isWhole(copy)) copyFileSync(copy, path);
  else rmSync(path);
}

function keepCopy(path: string): void {
  try {
    const copy = `${path}.copy`;
    if (existsSync(copy) && statSync(copy).mtimeMs >= statSync(path).mtimeMs) return;
    copyFileSync(path, `${copy}.new`);
    if (isWhole(`${copy}.new`)) renameSync(`${copy}.new`, copy);
  } catch {
    // The next copy will do; the chain itself does not depend on it.
  }
}

function isWhole(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}
