/** A quote as it is signed: the operator's offer, which the escrow checks when the studio deposits. */
import { chainId32 } from './chainIds.ts';
import { type SigningDomain, type TypedData, typedData } from './typedData.ts';

/** Amounts in base units. */
export interface Quote {
  /** UUID of the job. */
  jobId: string;
  /** Account of the studio; only it can accept. */
  studio: string;
  /** Price of all units. */
  price: bigint;
  suggestedCap: bigint;
  /** Price of a FarmBench-hour. */
  pricePerFbh: bigint;
  /** Unix second up to which it can be accepted. */
  validUntil: number;
}

const TYPES = {
  Quote: [
    { name: 'job', type: 'bytes32' },
    { name: 'studio', type: 'address' },
    { name: 'price', type: 'uint128' },
    { name: 'suggestedCap', type: 'uint128' },
    { name: 'pricePerFbh', type: 'uint128' },
    { name: 'validUntil', type: 'uint64' },
  ],
};

/** The quote as the contract's `Quote` struct. */
export function quoteMessage(quote: Quote): Record<string, unknown> {
  const { jobId, studio, price, suggestedCap, pricePerFbh, validUntil } = quote;
  return { job: chainId32(jobId), studio, price, suggestedCap, pricePerFbh, validUntil };
}

/** What the operator signs. */
export function quoteTypedData(domain: SigningDomain, quote: Quote): TypedData {
  return typedData(domain, TYPES, 'Quote', quoteMessage(quote));
}
