import { randomBytes } from 'node:crypto';
import { Mnemonic, Wallet } from 'ethers';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { operatorAccount } from '../../ports/chain/accounts.ts';
import type { Chain } from '../../ports/chain/chain.ts';
import { deployFresh, EMBEDDED_OPTIONS } from '../../ports/chain/deployment.ts';
import { connectChain } from '../../ports/chain/ethersChain.ts';
import { fundGas } from '../../ports/chain/provider.ts';
import { systemClock } from '../../ports/clock.ts';
import { createMinioStore } from '../../ports/store/minioStore.ts';
import { createSiteStores } from '../../ports/store/siteStores.ts';
import { addQuoted, addStudio, openTestRecord, type TestRecord } from '../../test/support/rows.ts';
import { createTestBucket } from '../../test/support/services.ts';
import { sendOnce } from './sendOnce.ts';
import type { SettleServices } from './services.ts';

let record: TestRecord;
let services: SettleServices;
let job: { studioId: string; jobId: string };
const mnemonic = Mnemonic.fromEntropy(randomBytes(16)).phrase;
const sender = operatorAccount(mnemonic);

beforeAll(async () => {
  const { rpc } = inject('stack').chain;
  record = await openTestRecord();
  await fundGas(rpc, sender.address, 10n ** 20n);
  const deployment = await deployFresh(rpc, sender.key, {
    ...EMBEDDED_OPTIONS,
    operator: sender.address,
    treasury: sender.address,
  });
  const store = createMinioStore(await createTestBucket());
  services = {
    database: record.database,
    store,
    stores: createSiteStores(store, record.database),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    operatorPolicy: {},
    chain: await connectChain(rpc, deployment),
    mnemonic,
    seller: { name: 'test', address: [] },
  };
  const studioId = await addStudio(record.database, 'north');
  job = { studioId, jobId: await addQuoted(record.database, { studioId }) };
});
afterAll(async () => {
  services?.chain.close();
  await record?.close();
});

/** The chain, on which one call does not come back: as if the process had been killed `when` it was made. */
function killedAt(call: 'broadcast' | 'waitFor', when: 'before' | 'after'): SettleServices {
  let killed = false;
  const interrupted = async (...args: [string]) => {
    if (killed) return services.chain[call](...args);
    killed = true;
    if (when === 'after') await services.chain[call](...args);
    throw new Error('killed');
  };
  const chain = new Proxy(services.chain, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name === call) return interrupted;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Chain;
  return { ...services, chain };
}

/** An order to pay 5 base units to a fresh account. */
function payment(reference: string) {
  const to = Wallet.createRandom().address;
  const prepare = () => services.chain.prepareTransfer(sender.key, to, 5n);
  return { to, order: { ...job, kind: 'claim' as const, reference, sender, prepare } };
}

const rows = (reference: string) =>
  record.query<{ hash: string; status: string }>(
    'SELECT hash, status FROM chain_transactions WHERE reference = $1 ORDER BY id',
    [reference],
  );

it.each([
  ['broadcast', 'before'],
  ['broadcast', 'after'],
  ['waitFor', 'before'],
  ['waitFor', 'after'],
] as const)('pays once when it is killed %s, %s the call', async (call, when) => {
  const { to, order } = payment(`killed:${call}:${when}`);
  await expect(sendOnce(killedAt(call, when), order)).rejects.toThrow('killed');
  const [signed] = await rows(order.reference);
  const hash = await sendOnce(services, order);
  expect(hash).toBe(signed!.hash);
  expect(await rows(order.reference)).toEqual([{ hash, status: 'confirmed' }]);
  expect(await services.chain.balanceOf(to)).toBe(5n);
  expect(await sendOnce(services, order)).toBe(hash);
  expect(await services.chain.balanceOf(to)).toBe(5n);
});

it('sends what was signed before and never sent, before it signs the next', async () => {
  const first = payment('left-behind');
  await expect(sendOnce(killedAt('broadcast', 'before'), first.order)).rejects.toThrow('killed');
  const second = payment('after-it');
  await sendOnce(services, second.order);
  expect(await services.chain.balanceOf(first.to)).toBe(5n);
  expect(await services.chain.balanceOf(second.to)).toBe(5n);
  await sendOnce(services, first.order);
  expect(await services.chain.balanceOf(first.to)).toBe(5n);
});

it('signs again when another transaction has used its nonce', async () => {
  const { to, order } = payment('stolen');
  await expect(sendOnce(killedAt('broadcast', 'before'), order)).rejects.toThrow('killed');
  const thief = await services.chain.prepareTransfer(sender.key, Wallet.createRandom().address, 1n);
  await services.chain.broadcast(thief.raw);
  await services.chain.waitFor(thief.hash);
  const hash = await sendOnce(services, order);
  expect((await rows(order.reference)).map(({ status }) => status)).toEqual(['replaced', 'confirmed']);
  expect(hash).not.toBe((await rows(order.reference))[0]!.hash);
  expect(await services.chain.balanceOf(to)).toBe(5n);
});
