import { isFinalJob } from '../../../../cli/sdk/jobStatus.ts';
import type { Job } from '../api/types.ts';
import { formatMoment, formatSeconds } from '../lib/format.ts';
import { exactUnits, formatCentsOf, formatToken, formatUnits, shareOf } from '../lib/money.ts';
import { tokenOf } from '../lib/token.ts';
import { useJobPart } from '../live/useJob.ts';
import { useNow } from '../ui/useNow.ts';

/** Spent solid, reserved hatched, the rest up to the cap; what it comes to when every frame is there. */
export function CostPanel() {
  const { job } = useJobPart('job');
  const running = job !== null && !isFinalJob(job.status);
  const now = useNow(1000, running);
  if (!job || job.cap === '0') return null;
  const token = tokenOf(job);
  const spent = shareOf(job.spent, job.cap);
  const reserved = shareOf(job.reserved, job.cap);
  return (
    <section className="panel cost" aria-label="Cost">
      <header className="panel-head">
        <h2>Cost</h2>
        <span className="mono faint">{formatCentsOf(job.spentCents, job.spent, job.currency)} net</span>
      </header>
      <p className="cost-figure">
        <strong title={`${exactUnits(job.spent, token.decimals)} ${token.symbol}`}>
          {formatUnits(job.spent, token.decimals)}
        </strong>
        <span>
          of {formatUnits(job.cap, token.decimals)} {token.symbol}
        </span>
      </p>
      <div
        className="cost-bar"
        role="progressbar"
        aria-label="Cost so far against the cap"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(spent * 100)}
        aria-valuetext={`${formatToken(job.spent, token)} spent, ${formatToken(job.reserved, token)} reserved, cap ${formatToken(job.cap, token)}`}
      >
        <span className="spent" style={{ width: `${spent * 100}%` }} />
        <span className="reserved" style={{ width: `${Math.min(reserved, 1 - spent) * 100}%` }} />
      </div>
      <dl className="facts">
        <div>
          <dt>
            <i className="swatch spent" aria-hidden="true" /> Spent
          </dt>
          <dd className="mono">{formatUnits(job.spent, token.decimals)}</dd>
        </div>
        <div>
          <dt>
            <i className="swatch reserved" aria-hidden="true" /> Reserved for frames in work
          </dt>
          <dd className="mono">{formatUnits(job.reserved, token.decimals)}</dd>
        </div>
        {job.frames.cached > 0 && (
          <div>
            <dt>From the cache, not billed</dt>
            <dd className="mono">
              {job.frames.cached} of {job.frames.total}
            </dd>
          </div>
        )}
        {running && job.quote && (
          <div>
            <dt>Forecast for all frames</dt>
            <dd className="mono">{formatUnits(forecast(job), token.decimals)}</dd>
          </div>
        )}
        <Times job={job} now={now} running={running} />
      </dl>
    </section>
  );
}

/** Spent, and the fixed price of each frame still to come. */
function forecast(job: Job): bigint {
  const left = Math.max(0, job.frames.total - job.frames.committed);
  return BigInt(job.spent) + BigInt(job.quote?.unitPrice ?? '0') * BigInt(left);
}

function Times({ job, now, running }: { job: Job; now: Date; running: boolean }) {
  if (job.acceptedAt === null) return null;
  const end = job.endedAt === null ? now : new Date(job.endedAt);
  const seconds = Math.max(0, (end.getTime() - new Date(job.acceptedAt).getTime()) / 1000);
  const left = job.estimatedEndAt === null ? null : (new Date(job.estimatedEndAt).getTime() - now.getTime()) / 1000;
  return (
    <>
      <div>
        <dt>{running ? 'Running for' : 'Took'}</dt>
        <dd className="mono">{formatSeconds(seconds)}</dd>
      </div>
      {running && left !== null && left > 0 && (
        <div>
          <dt>Done in about</dt>
          <dd className="mono">{formatSeconds(left)}</dd>
        </div>
      )}
      {!running && job.endedAt !== null && (
        <div>
          <dt>Ended</dt>
          <dd>{formatMoment(job.endedAt)}</dd>
        </div>
      )}
    </>
  );
}
