import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildContracts } from '../../contracts/build.js';
import { ONE_CMP } from '../../domain/money/amount.ts';
import { studioAccount } from './accounts.ts';
import { deploy } from './deploy.ts';
import { readDeployment } from './deployment.ts';
import { connectChain } from './ethersChain.ts';
import { fundGas } from './provider.ts';
import { type Anvil, startAnvil, TEST_MNEMONIC } from './testing/anvil.ts';
import { farmAccounts } from './testing/farm.ts';

let folder: string;
const running = new Set<Anvil>();

async function start(options: Parameters<typeof startAnvil>[0]): Promise<Anvil> {
  const anvil = await startAnvil(options);
  running.add(anvil);
  return anvil;
}

async function stop(anvil: Anvil): Promise<void> {
  running.delete(anvil);
  await anvil.stop();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'framewright-chain-'));
  await buildContracts(fileURLToPath(new URL('../../dist/contracts', import.meta.url)));
});
afterAll(async () => {
  for (const anvil of running) await anvil.stop();
  rmSync(folder, { recursive: true });
});

describe('a deployment', () => {
  it('is made once, survives a restart of the chain, and is made again when the embedded chain lost it', async () => {
    const statePath = join(folder, 'state.json');
    const deployment = join(folder, 'deployment.json');
    const settings = { chainId: 31_337, mnemonic: TEST_MNEMONIC, deployment };
    const to = studioAccount(TEST_MNEMONIC, 3).address;
    let anvil = await start({ statePath });
    const first = await deploy({ ...settings, rpc: anvil.rpcUrl });
    let chain = await connectChain(anvil.rpcUrl, first);
    const prepared = await chain.prepareTransfer(farmAccounts.operator.key, to, ONE_CMP);
    await chain.broadcast(prepared.raw);
    await chain.waitFor(prepared.hash);
    chain.close();
    await stop(anvil);

    anvil = await start({ statePath });
    expect(await deploy({ ...settings, rpc: anvil.rpcUrl })).toEqual(first);
    chain = await connectChain(anvil.rpcUrl, readDeployment(deployment));
    expect(await chain.balanceOf(to)).toBe(ONE_CMP);
    expect(await chain.broadcast(prepared.raw)).toBe('known');
    chain.close();
    await stop(anvil);

    anvil = await start({});
    await expect(connectChain(anvil.rpcUrl, first)).rejects.toMatchObject({ code: 'ChainMismatch' });
    const again = await deploy({ ...settings, rpc: anvil.rpcUrl });
    expect([again.token, again.settlement]).toEqual([first.token, first.settlement]);
    await stop(anvil);
  });

  it('is never taken for one on another chain, and only the embedded chain gives gas away', async () => {
    const path = join(folder, 'other.json');
    const embedded = await start({});
    const deployment = await deploy({
      rpc: embedded.rpcUrl,
      chainId: 31_337,
      mnemonic: TEST_MNEMONIC,
      deployment: path,
    });
    await stop(embedded);
    const other = await start({ chainId: 4242 });
    await expect(connectChain(other.rpcUrl, deployment)).rejects.toMatchObject({ code: 'ChainMismatch' });
    const there = { rpc: other.rpcUrl, chainId: 4242, mnemonic: TEST_MNEMONIC, deployment: path };
    await expect(deploy(there)).rejects.toMatchObject({ code: 'ChainMismatch' });
    await expect(fundGas(other.rpcUrl, deployment.operator)).rejects.toMatchObject({ code: 'Forbidden' });
    const own = await deploy({ ...there, deployment: join(folder, 'own.json') });
    expect(own).toMatchObject({ chainId: 4242, refundDelaySeconds: 86_400 });
    await stop(other);
    await expect(connectChain(other.rpcUrl, own)).rejects.toMatchObject({ code: 'ChainFailed' });
  });
});
