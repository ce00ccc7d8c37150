import { memo } from 'react';
import { Link } from 'wouter';
import type { Job } from '../api/types.ts';
import { formatCount, formatMoment } from '../lib/format.ts';
import { formatUnits, shareOf } from '../lib/money.ts';
import { Bar } from '../ui/Bar.tsx';
import { Status, statusTone } from '../ui/Status.tsx';

/** Height of a row in CSS pixels, wide and narrow alike. */
export const ROW_HEIGHT = 64;

interface JobRowProps {
  job: Job;
  marked: boolean;
  top: number;
}

/** One job of the list; the whole row is a link. */
export const JobRow = memo(function JobRow({ job, marked, top }: JobRowProps) {
  const { total, committed, failed } = job.frames;
  const decimals = job.quote?.token.decimals ?? 18;
  const symbol = job.quote?.token.symbol ?? 'CMP';
  const hasCap = job.cap !== '0';
  return (
    <Link
      href={`/jobs/${job.id}`}
      className={`job-row ${marked ? 'marked' : ''}`}
      style={{ height: ROW_HEIGHT, transform: `translateY(${top}px)` }}
    >
      <span className="job-name">
        <strong>{job.name}</strong>
        <small className="mono">
          {job.version === null ? '' : `v${String(job.version).padStart(3, '0')} `}
          {job.width}×{job.height} {job.frameRange}
        </small>
      </span>
      <Status job={job} />
      <span className="job-progress">
        <span>
          {formatCount(committed)} / {formatCount(total)}
          {failed > 0 ? <em> {formatCount(failed)} failed</em> : null}
        </span>
        <Bar
          label={`Frames of ${job.name}`}
          fraction={total === 0 ? 0 : committed / total}
          tone={statusTone(job.status)}
        />
      </span>
      <span className="job-cost">
        {hasCap ? (
          <>
            <span>
              {formatUnits(job.spent, decimals, 2)} / {formatUnits(job.cap, decimals, 2)} {symbol}
            </span>
            <Bar label={`Cost of ${job.name} against its cap`} fraction={shareOf(job.spent, job.cap)} tone="money" />
          </>
        ) : (
          <span className="faint">
            {job.quote ? `${formatUnits(job.quote.total, decimals, 2)} ${symbol} quoted` : '–'}
          </span>
        )}
      </span>
      <time dateTime={job.createdAt}>{formatMoment(job.createdAt)}</time>
    </Link>
  );
});
