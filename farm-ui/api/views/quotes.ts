/** Quotes as the API shows them. */
import { toCents } from '../../../domain/money/amount.ts';
import type { QuoteRow } from '../../../ports/db/tables.ts';
import type { QuoteView } from '../schema/api.ts';

/** @param onlineScore sum of the scores of the nodes that are online */
export function quoteView(
  quote: QuoteRow,
  { onlineScore, tokenSymbol }: { onlineScore: number; tokenSymbol: string },
): QuoteView {
  const { secondsPerFrame, referenceScore } = quote.estimate;
  const units = Number(quote.total / quote.unitPrice);
  // With nobody online: as long as the machine that calibrated would take alone.
  const estimatedSeconds =
    (units * secondsPerFrame * referenceScore) / (onlineScore > 0 ? onlineScore : referenceScore);
  return {
    total: String(quote.total),
    unitPrice: String(quote.unitPrice),
    units,
    suggestedCap: String(quote.suggestedCap),
    token: { symbol: tokenSymbol, decimals: quote.tokenDecimals, address: quote.token, chainId: quote.chainId },
    currency: quote.currency,
    totalCents: Number(toCents(quote.total, { centsPerTokenE6: BigInt(quote.centsPerTokenE6) })),
    centsPerTokenE6: quote.centsPerTokenE6,
    secondsPerFrame,
    estimatedSeconds,
    pricePerFbh: String(quote.pricePerFbh),
    cache: quote.cache,
    expiresAt: quote.expiresAt.toISOString(),
  };
}
