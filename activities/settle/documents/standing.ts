/** What happened to an invoice after it was issued; documents print it beside what never changes. */
export interface InvoiceStanding {
  status: 'issued' | 'posted' | 'paid';
  /** Hash of the transaction that posted the batch. */
  transaction: string | null;
  /** Whether the lines were checked against the root on chain just now, and how that ended. */
  proof: 'verified' | 'failed' | 'unchecked';
}

/** The standing in words. */
export function standingText({ status, proof }: InvoiceStanding): string {
  const settled = {
    issued: 'Issued; not posted on chain yet.',
    posted: 'Posted on chain; payouts and refund are under way.',
    paid: 'Net sum paid in full from escrow.',
  }[status];
  const proved = {
    verified: 'Every line is proved by the root on chain.',
    failed: 'NOT PROVED: lines and root on chain differ.',
    unchecked: 'Proofs are part of the electronic invoice; check them with "farm invoice JOB --verify".',
  }[proof];
  return `${settled} ${proved}`;
}
