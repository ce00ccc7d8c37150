import { Check, Clock, X } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { problemOf } from '../api/client.ts';
import { farm } from '../api/farm.ts';
import type { Inspection, Job, Problem, Quote } from '../api/types.ts';
import { formatBytes, formatCount, formatSeconds, plural } from '../lib/format.ts';
import { exactUnits, formatCentsOf, formatToken, formatUnits, parseUnits, toCents } from '../lib/money.ts';
import type { JobStore } from '../live/jobStore.ts';
import { Button } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { useNow } from '../ui/useNow.ts';

/** The quote of a job that waits for its owner's word. */
export function QuotePanel({ job, quote, store }: { job: Job; quote: Quote; store: JobStore }) {
  const { token } = quote;
  const [, navigate] = useLocation();
  const now = useNow(1000);
  const [capText, setCapText] = useState(exactUnits(quote.suggestedCap, token.decimals));
  const [busy, setBusy] = useState<'accept' | 'decline' | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const cap = parseUnits(capText, token.decimals);
  const secondsLeft = Math.floor((new Date(quote.expiresAt).getTime() - now.getTime()) / 1000);
  const expired = secondsLeft <= 0;
  const short = cap !== null && cap < BigInt(quote.total);
  const act = async (name: 'accept' | 'decline', call: () => Promise<unknown>, after: () => void): Promise<void> => {
    setBusy(name);
    setProblem(null);
    try {
      await call();
      after();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(null);
    }
  };

  return (
    <section className="panel quote" aria-label="Quote">
      <div className="quote-main">
        <p className="quote-label">Quote for {plural(quote.units, 'frame')}</p>
        <p className="quote-total">
          <strong title={`${exactUnits(quote.total, token.decimals)} ${token.symbol}`}>
            {formatUnits(quote.total, token.decimals)}
          </strong>
          <span>{token.symbol}</span>
        </p>
        <p className="quote-currency">{formatCentsOf(quote.totalCents, quote.total, quote.currency)} net</p>
        <dl className="facts">
          {quote.cache.count > 0 && (
            <div>
              <dt>From the cache</dt>
              <dd>
                {quote.cache.count} of {plural(job.frames.total, 'frame')}, not billed
              </dd>
            </div>
          )}
          <div>
            <dt>Each frame</dt>
            <dd className="mono">
              {formatToken(quote.unitPrice, token)}, about {formatSeconds(quote.secondsPerFrame)}
            </dd>
          </div>
          <div>
            <dt>Ready in about</dt>
            <dd className="mono">{formatSeconds(quote.estimatedSeconds)}</dd>
          </div>
          <div>
            <dt>Rate</dt>
            <dd className="mono">{formatToken(quote.pricePerFbh, token)} a FarmBench-hour</dd>
          </div>
        </dl>
      </div>
      <div className="quote-side">
        <label className="field">
          <span className="field-label">
            Cap, {token.symbol}
            <small>The job never costs more; what is not used comes back.</small>
          </span>
          <input
            type="text"
            className="mono"
            inputMode="decimal"
            value={capText}
            aria-invalid={cap === null}
            disabled={busy !== null || expired}
            onChange={(event) => setCapText(event.target.value)}
          />
          {cap === null ? (
            <small className="field-error">Write an amount such as 25 or 0.5.</small>
          ) : (
            <small className={short ? 'tone-ask' : ''}>
              {formatCentsOf(toCents(cap, quote.centsPerTokenE6, token.decimals), cap, quote.currency)}
              {short ? ', less than the quote: the job would pause before its last frame' : ''}
            </small>
          )}
        </label>
        {problem && <ProblemNote problem={problem} />}
        <div className="quote-actions">
          <Button
            tone="primary"
            icon={<Check size={16} />}
            busy={busy === 'accept'}
            disabled={cap === null || expired || busy !== null}
            onClick={() =>
              cap !== null &&
              void act(
                'accept',
                () => farm.acceptQuote(job.id, cap.toString()),
                () => void store.fetchJob(),
              )
            }
          >
            Accept quote
          </Button>
          <Button
            icon={<X size={16} />}
            busy={busy === 'decline'}
            disabled={busy !== null}
            onClick={() =>
              void act(
                'decline',
                () => farm.declineQuote(job.id),
                () => navigate('/'),
              )
            }
          >
            Decline
          </Button>
        </div>
        <p className={`quote-expiry ${secondsLeft < 60 ? 'tone-ask' : ''}`} role="timer">
          <Clock size={14} aria-hidden="true" />
          {expired
            ? 'This quote has expired; submit the scene again for a new one.'
            : `Holds for ${formatSeconds(Math.max(10, secondsLeft))}`}
        </p>
      </div>
    </section>
  );
}

/** What intake saw in the scene, where the API tells. */
export function InspectionFacts({ inspection }: { inspection: Inspection }) {
  const facts: [string, string][] = [
    ['Triangles', formatCount(Math.max(inspection.triangles, inspection.instancedTriangles))],
    ['Meshes', formatCount(inspection.meshes)],
    ['Materials', formatCount(inspection.materials)],
    ['Textures', `${formatCount(inspection.textures.length)}, ${formatBytes(inspection.textureBytes)}`],
    ['Cameras', inspection.cameras.map(({ name }) => name).join(', ') || 'none'],
    ['Lights', `${formatCount(inspection.lights)}${inspection.hasEnvironment ? ' and an environment' : ''}`],
    ['Animation', inspection.durationSeconds > 0 ? formatSeconds(inspection.durationSeconds) : 'none'],
  ];
  if (inspection.generator !== null) facts.push(['Written by', inspection.generator]);
  return (
    <section className="panel" aria-label="Scene">
      <header className="panel-head">
        <h2>Scene</h2>
      </header>
      <dl className="facts columns">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
