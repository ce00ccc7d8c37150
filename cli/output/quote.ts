/** The quote, for people. */
import pc from 'picocolors';
import { formatCents, shortToken } from '../sdk/money.ts';
import type { JobView } from '../sdk/types.ts';
import { duration } from './duration.ts';

/** Which frames are not billed since they are known; nothing where none is and the cache was asked. */
function cacheLines({ quote, frames }: JobView): string[] {
  if (!quote) return [];
  const { count, note, frames: range } = quote.cache;
  if (count > 0) return [`  cache     ${count} of ${frames.total} frames from the cache (${range}), not billed`];
  return note === null ? [] : [pc.dim(`  cache     not asked: ${note}`)];
}

/** Several lines: what will be rendered, what it costs, until when the offer stands, and what the farm assumed. */
export function quoteText(job: JobView): string {
  const quote = job.quote;
  if (!quote) return '';
  const token = (amount: string): string => `${shortToken(amount, quote.token.decimals)} ${quote.token.symbol}`;
  const lines = [
    `${pc.bold(job.name)} v${job.version ?? 1}  ${job.frames.total} frames (${job.frameRange}), ${job.width}×${job.height}, ${job.samples} samples`,
    `  price     ${pc.bold(token(quote.total))}  =  ${formatCents(quote.totalCents, quote.currency)} net   (${token(quote.unitPrice)} a frame)`,
    ...cacheLines(job),
    `  cap       ${token(quote.suggestedCap)} suggested; more is never spent`,
    `  time      about ${duration(quote.estimatedSeconds)} (${quote.secondsPerFrame.toFixed(2)} s a frame, measured on a node)`,
    `  expires   ${new Date(quote.expiresAt).toLocaleTimeString()}`,
  ];
  for (const warning of job.warnings) lines.push(`  ${pc.yellow('!')} ${warning.message}`);
  return lines.join('\n');
}
