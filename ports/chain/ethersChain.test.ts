import { fileURLToPath } from 'node:url';
import { keccak256, toUtf8Bytes } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildContracts } from '../../contracts/build.js';
import { ONE_CMP } from '../../domain/money/amount.ts';
import { EMPTY_ROOT, makeBatch } from '../../domain/money/batch.ts';
import { computeInvoice } from '../../domain/money/invoice.ts';
import { quoteTypedData } from '../../domain/money/quote.ts';
import { receiptTypedData } from '../../domain/money/receipt.ts';
import { replayEscrow } from '../../domain/money/replay.ts';
import { hashTyped, isSignedBy, signTyped } from './accounts.ts';
import { fundGas } from './provider.ts';
import { type Anvil, startAnvil } from './testing/anvil.ts';
import { setUpFarm, type TestFarm } from './testing/farm.ts';

const uuid = (n: number) => `01930000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const hash = (text: string) => keccak256(toUtf8Bytes(text));
const DAY = 86_400;
let anvil: Anvil;
let farm: TestFarm;
let jobs = 0;
/** What a node receives of a sum: all but the operator's hundredth. */
const net = (amount: bigint) => amount - amount / 100n;
/** A job of its own for each test. */
const newJob = () => uuid(++jobs);

beforeAll(async () => {
  await buildContracts(fileURLToPath(new URL('../../dist/contracts', import.meta.url)));
  anvil = await startAnvil();
  farm = await setUpFarm(anvil, { feeBasisPoints: 100 });
});
afterAll(async () => {
  farm?.chain.close();
  await anvil?.stop();
});

/** Deposits 100 CMP for a new job. */
async function openJob(): Promise<string> {
  const jobId = newJob();
  await farm.send(await farm.chain.prepareDeposit(farm.studio.key, await farm.terms(jobId, 100n * ONE_CMP)));
  return jobId;
}

async function refusal(action: Promise<unknown>): Promise<{ code: string; error: unknown }> {
  const error = await action.then(
    () => expect.unreachable('it was accepted'),
    (thrown) => thrown,
  );
  return { code: error.code, error: error.place?.error };
}

async function timePasses(seconds: number): Promise<void> {
  await anvil.send('evm_increaseTime', [seconds]);
  await anvil.send('evm_mine');
}

describe('a job from deposit to refund', () => {
  it('pays every node once, proves every line and gives the rest back', async () => {
    const { chain, nodes, operator, studio } = farm;
    const had = await chain.balanceOf(studio.address);
    const jobId = await openJob();
    expect(await chain.balanceOf(studio.address)).toBe(had - 100n * ONE_CMP);
    expect(await chain.job(jobId)).toMatchObject({ studio: studio.address, free: 100n * ONE_CMP, frozen: 0n });

    const amounts = [[3n, 4n], [5n]].map((units) => units.map((cmp) => cmp * ONE_CMP));
    let unit = 0;
    const invoice = computeInvoice({
      ...{ number: 'FW-2026-0001', issuedAt: '2026-11-23T08:00:00Z', jobId, jobName: 'demo' },
      ...{ performedFrom: '2026-11-23T07:00:00Z', performedTo: '2026-11-23T07:30:00Z' },
      seller: { name: 'Farm', address: [], account: operator.address },
      buyer: { name: 'Studio', address: [], account: studio.address },
      rate: { currency: 'EUR', centsPerTokenE6: 25_000_000n, at: '2026-11-23T07:00:00Z', source: 'tariff' },
      ...{ taxBasisPoints: 0, pricePerFbh: 2n * ONE_CMP, chain: farm.deployment },
      lines: amounts.map((units, index) => ({
        ...{ nodeId: uuid(900 + index), nodeName: `node ${index}`, nodeAccount: nodes[index]!.address },
        ...{ chunkId: uuid(800 + index), salt: hash(`salt ${index}`) },
        units: units.map((amount) => {
          unit++;
          const exrHash = hash(`frame ${unit}`).slice(2);
          return { unitId: uuid(1000 + unit), frame: unit, take: 1, tile: 0, amount, exrHash };
        }),
      })),
    });
    const lines = invoice.lines.map((line) => ({ node: line.nodeAccount, amount: BigInt(line.amount) }));
    const batch = makeBatch(jobId, invoice.root, lines);
    await farm.send(await chain.prepareBatch(operator.key, batch, await farm.countersign(batch)));
    expect(await chain.batch(jobId)).toMatchObject({ total: 12n * ONE_CMP, countersigned: true, lineCount: 2 });
    for (const line of invoice.lines) {
      const { unitsRoot, salt, nodeAccount: node } = line;
      const leaf = { jobId, index: line.line - 1, node, amount: BigInt(line.amount), unitsRoot, salt };
      expect(await chain.verifyLine(leaf, line.proof)).toBe(true);
      expect(await chain.verifyLine({ ...leaf, amount: leaf.amount + 1n }, line.proof)).toBe(false);
    }

    for (const { node, total } of batch.payouts) {
      await farm.send(await chain.prepareClaim(operator.key, jobId, node));
      expect(await chain.balanceOf(node)).toBe(net(total));
      expect(await chain.nodeAccount(jobId, node)).toEqual({ paid: total, sequence: 0, claimed: true });
      const again = await refusal(chain.prepareClaim(operator.key, jobId, node));
      expect(again).toEqual({ code: 'ChainMismatch', error: 'AlreadyClaimed' });
    }
    await farm.send(await chain.prepareRefund(operator.key, jobId));
    expect(await chain.balanceOf(studio.address)).toBe(had - 12n * ONE_CMP);
    expect(await chain.job(jobId)).toMatchObject({
      free: 0n,
      frozen: 0n,
      spent: 12n * ONE_CMP,
      refunded: 88n * ONE_CMP,
    });
  });

  it('raises the cap and extends the expiry', async () => {
    const { chain, studio } = farm;
    const jobId = await openJob();
    await farm.send(await chain.prepareTopUp(studio.key, jobId, 5n * ONE_CMP));
    const before = (await chain.job(jobId))!;
    expect(before.free).toBe(105n * ONE_CMP);
    await farm.send(await chain.prepareExtend(studio.key, jobId, before.expiresAt + DAY));
    expect((await chain.job(jobId))!.expiresAt).toBe(before.expiresAt + DAY);
  });

  it('closes a job in which nothing was rendered', async () => {
    const { chain, operator } = farm;
    const jobId = await openJob();
    const batch = makeBatch(jobId, EMPTY_ROOT, []);
    await farm.send(await chain.prepareBatch(operator.key, batch, await farm.countersign(batch)));
    await farm.send(await chain.prepareRefund(operator.key, jobId));
    expect((await chain.job(jobId))!.refunded).toBe(100n * ONE_CMP);
  });

  it('redeems the newest receipt without the operator, until the expiry and no later', async () => {
    const { chain, nodes, studio } = farm;
    const node = nodes[2]!;
    const jobId = await openJob();
    const older = await farm.receipt(jobId, node, 1, 2n * ONE_CMP);
    const newer = await farm.receipt(jobId, node, 2, 7n * ONE_CMP);
    const late = await farm.receipt(jobId, node, 3, 9n * ONE_CMP);
    await farm.send(await chain.prepareRedeem(studio.key, newer.receipt, newer.signatures));
    expect(await chain.balanceOf(node.address)).toBe(net(7n * ONE_CMP));
    expect(await refusal(chain.prepareRedeem(studio.key, older.receipt, older.signatures))).toEqual({
      code: 'ChainMismatch',
      error: 'ReceiptStale',
    });
    const snapshot = await anvil.send('evm_snapshot');
    await timePasses(31 * DAY);
    expect(await refusal(chain.prepareRedeem(studio.key, late.receipt, late.signatures))).toMatchObject({
      error: 'ReceiptExpired',
    });
    await farm.send(await chain.prepareRefund(studio.key, jobId));
    expect((await chain.job(jobId))!.refunded).toBe(93n * ONE_CMP);
    await anvil.send('evm_revert', [snapshot]);
    // The refund was in blocks that are gone: a reorganisation. The late receipt is in time again.
    await farm.send(await chain.prepareRedeem(studio.key, late.receipt, late.signatures));
    expect(await chain.balanceOf(node.address)).toBe(net(9n * ONE_CMP));
  });

  it('pays a receipt that is newer than the batch from the rest, and frees its share of the batch', async () => {
    const { chain, nodes, operator } = farm;
    const node = nodes[0]!;
    const jobId = await openJob();
    const batch = makeBatch(jobId, hash('lines'), [{ node: node.address, amount: 10n * ONE_CMP }]);
    await farm.send(await chain.prepareBatch(operator.key, batch, await farm.countersign(batch)));
    const { receipt, signatures } = await farm.receipt(jobId, node, 1, 12n * ONE_CMP);
    await farm.send(await chain.prepareRedeem(operator.key, receipt, signatures));
    expect(await chain.job(jobId)).toMatchObject({ free: 78n * ONE_CMP, frozen: 10n * ONE_CMP });
    await farm.send(await chain.prepareClaim(operator.key, jobId, node.address));
    expect(await chain.job(jobId)).toMatchObject({ free: 88n * ONE_CMP, frozen: 0n, spent: 12n * ONE_CMP });
    expect((await chain.nodeAccount(jobId, node.address)).paid).toBe(12n * ONE_CMP);
  });

  it('lets the studio refuse a batch that it did not sign, and makes it wait out the window', async () => {
    const { chain, operator, session, nodes } = farm;
    const jobId = await openJob();
    const batch = makeBatch(jobId, hash('lines'), [{ node: nodes[0]!.address, amount: ONE_CMP }]);
    await farm.send(await chain.prepareBatch(operator.key, batch, null));
    expect(await refusal(chain.prepareClaim(operator.key, jobId, nodes[0]!.address))).toEqual({
      code: 'ChainFailed',
      error: 'BatchOpen',
    });
    expect(await refusal(chain.prepareRefund(operator.key, jobId))).toEqual({
      code: 'ChainFailed',
      error: 'RefundTooEarly',
    });
    await fundGas(anvil.rpcUrl, session.address);
    await farm.send(await chain.prepareContest(session.key, jobId));
    expect(await chain.batch(jobId)).toMatchObject({ contested: true });
    await farm.send(await chain.prepareBatch(operator.key, batch, await farm.countersign(batch)));
    await farm.send(await chain.prepareClaim(operator.key, jobId, nodes[0]!.address));
    expect((await chain.nodeAccount(jobId, nodes[0]!.address)).paid).toBe(ONE_CMP);
  });
});

describe('transactions', () => {
  it('are the same when they are sent again, before and after their block', async () => {
    const { chain, operator, nodes } = farm;
    const to = nodes[1]!.address;
    const had = await chain.balanceOf(to);
    await anvil.send('evm_setAutomine', [false]);
    const prepared = await chain.prepareTransfer(operator.key, to, 5n);
    expect(await chain.broadcast(prepared.raw)).toBe('sent');
    expect(await chain.broadcast(prepared.raw)).toBe('known');
    await anvil.send('evm_mine');
    await anvil.send('evm_setAutomine', [true]);
    const confirmation = await chain.waitFor(prepared.hash);
    expect(confirmation.hash).toBe(prepared.hash);
    expect(await chain.broadcast(prepared.raw)).toBe('known');
    expect(await chain.balanceOf(to)).toBe(had + 5n);
  });

  it('are sent again after a reorganisation took their block', async () => {
    const { chain, operator, nodes } = farm;
    const to = nodes[1]!.address;
    const had = await chain.balanceOf(to);
    const snapshot = await anvil.send('evm_snapshot');
    const prepared = await chain.prepareTransfer(operator.key, to, 5n);
    await farm.send(prepared);
    await anvil.send('evm_revert', [snapshot]);
    expect(await chain.balanceOf(to)).toBe(had);
    await farm.send(prepared);
    expect(await chain.balanceOf(to)).toBe(had + 5n);
  });

  it('say that they were replaced when another one took their nonce', async () => {
    const { chain, operator, nodes } = farm;
    const to = nodes[1]!.address;
    const first = await chain.prepareTransfer(operator.key, to, 1n);
    const second = await chain.prepareTransfer(operator.key, to, 2n, { nonce: first.nonce });
    await farm.send(second);
    expect(await chain.broadcast(first.raw)).toBe('replaced');
    expect(await refusal(chain.waitFor(first.hash, { timeoutMs: 10 }))).toMatchObject({ code: 'ChainFailed' });
  });

  it('name missing money before they are signed', async () => {
    const { chain, nodes, operator } = farm;
    const terms = await farm.terms(newJob(), 100_000n * ONE_CMP);
    expect(await refusal(chain.prepareDeposit(farm.studio.key, terms))).toMatchObject({ code: 'FundsMissing' });
    expect(await refusal(chain.prepareTransfer(nodes[0]!.key, operator.address, 0n))).toMatchObject({
      code: 'FundsMissing',
    });
  });

  it('are refused for a quote that expired or that the operator never signed', async () => {
    const { chain, studio } = farm;
    const terms = await farm.terms(newJob(), ONE_CMP);
    const cheaper = { ...terms, quote: { ...terms.quote, price: 1n } };
    expect(await refusal(chain.prepareDeposit(studio.key, cheaper))).toEqual({
      code: 'ChainMismatch',
      error: 'SignatureInvalid',
    });
    const snapshot = await anvil.send('evm_snapshot');
    await timePasses(1000);
    expect(await refusal(chain.prepareDeposit(studio.key, terms))).toEqual({
      code: 'QuoteExpired',
      error: 'QuoteExpired',
    });
    await anvil.send('evm_revert', [snapshot]);
  });
});

describe('what is signed', () => {
  it('has the digest that the contract computes, and one signer', async () => {
    const { chain, deployment, nodes, operator } = farm;
    const jobId = await openJob();
    const { receipt, signatures } = await farm.receipt(jobId, nodes[0]!, 1, ONE_CMP);
    const data = receiptTypedData(deployment, receipt);
    expect(isSignedBy(nodes[0]!.address, data, signatures.node)).toBe(true);
    expect(isSignedBy(nodes[1]!.address, data, signatures.node)).toBe(false);
    expect(isSignedBy(nodes[0]!.address, data, '0x1234')).toBe(false);
    const elsewhere = receiptTypedData({ ...deployment, chainId: 1 }, receipt);
    expect(isSignedBy(nodes[0]!.address, elsewhere, signatures.node)).toBe(false);
    const foreign = await signTyped(nodes[0]!.key, elsewhere);
    const redeeming = chain.prepareRedeem(operator.key, receipt, { ...signatures, node: foreign });
    expect(await refusal(redeeming)).toMatchObject({ error: 'SignatureInvalid' });
    const { quote } = await farm.terms(jobId, ONE_CMP);
    expect(hashTyped(quoteTypedData(deployment, quote))).toMatch(/^0x[0-9a-f]{64}$/);
  });
});

describe('events', () => {
  it('rebuild every balance of the escrow', async () => {
    const { chain, deployment, nodes } = farm;
    const events = await chain.events(deployment.blockNumber);
    const replayed = replayEscrow(events);
    expect(replayed.jobs.size).toBeGreaterThan(4);
    let held = replayed.fees;
    for (const [jobId, account] of replayed.jobs) {
      const { deposited, spent, refunded, frozen, free } = (await chain.job(jobId))!;
      expect(account.totals).toEqual({ deposited, spent, refunded, frozen });
      for (const node of nodes) {
        const { paid } = await chain.nodeAccount(jobId, node.address);
        expect(account.paid.get(node.address.toLowerCase()) ?? 0n).toBe(paid);
      }
      held += free + frozen;
    }
    expect(await chain.balanceOf(deployment.escrow)).toBe(held);
    expect(replayed.fees).toBeGreaterThan(0n);
    const had = await chain.balanceOf(deployment.treasury);
    await farm.send(await chain.prepareWithdrawFees(farm.operator.key));
    expect(await chain.balanceOf(deployment.treasury)).toBe(had + replayed.fees);
    expect(replayEscrow(await chain.events(deployment.blockNumber)).fees).toBe(0n);
  });
});
