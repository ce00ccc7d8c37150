/** Rebuilds every balance of the escrow from its events alone: what the ledger and the chain's state are compared with. */
import { uuidOfChainId } from './chainIds.ts';

/** An event of the contracts, integers as decimal strings. */
export interface MoneyEvent {
  name: string;
  data: Record<string, string | boolean>;
}

/** A job's account as its events tell it, base units. */
interface ReplayedJob {
  studio: string;
  totals: { deposited: bigint; spent: bigint; refunded: bigint; frozen: bigint };
  /** Base units debited for each node, the operator's fee included, by lower-case address. */
  paid: Map<string, bigint>;
}

/** The whole escrow. */
export interface ReplayedEscrow {
  /** By UUID. */
  jobs: Map<string, ReplayedJob>;
  /** Operator's fees earned and not withdrawn. */
  fees: bigint;
}

/** Replays events in their order, from the deployment on. Events that move no money are passed over. */
export function replayEscrow(events: Iterable<MoneyEvent>): ReplayedEscrow {
  const escrow: ReplayedEscrow = { jobs: new Map(), fees: 0n };
  for (const event of events) apply(escrow, event);
  return escrow;
}

function apply(escrow: ReplayedEscrow, { name, data }: MoneyEvent): void {
  const amount = (field: string) => BigInt(data[field] as string);
  if (name === 'FeesWithdrawn') escrow.fees -= amount('amount');
  if (typeof data.job !== 'string') return;
  const job = jobOf(escrow, uuidOfChainId(data.job));
  const { totals } = job;
  switch (name) {
    case 'Deposited':
      job.studio = data.studio as string;
      totals.deposited += amount('amount');
      break;
    case 'ToppedUp':
      totals.deposited += amount('amount');
      break;
    case 'Frozen':
      totals.frozen += amount('amount');
      break;
    case 'Released':
      totals.frozen -= amount('amount');
      break;
    case 'Paid': {
      const node = (data.node as string).toLowerCase();
      totals.spent += amount('amount');
      totals.frozen -= amount('thawed');
      escrow.fees += amount('fee');
      job.paid.set(node, (job.paid.get(node) ?? 0n) + amount('amount'));
      break;
    }
    case 'Refunded':
      totals.refunded += amount('amount');
      break;
  }
}

function jobOf(escrow: ReplayedEscrow, jobId: string): ReplayedJob {
  const found = escrow.jobs.get(jobId);
  if (found) return found;
  const totals = { deposited: 0n, spent: 0n, refunded: 0n, frozen: 0n };
  const job: ReplayedJob = { studio: '', totals, paid: new Map() };
  escrow.jobs.set(jobId, job);
  return job;
}
