import { ArrowDownToLine, ArrowUpFromLine, Cpu } from 'lucide-react';
import type { Job } from '../api/types.ts';
import { formatBytes, formatSeconds, plural } from '../lib/format.ts';
import { useJobPart } from '../live/useJob.ts';

type Placement = Job['placement'];
type Share = Placement['shares'][number];
type Actual = Placement['actual'][number];

const PACE = {
  'link-up': { icon: ArrowUpFromLine, word: 'link away' },
  'link-down': { icon: ArrowDownToLine, word: 'link towards' },
  render: { icon: Cpu, word: 'nodes' },
} as const;

/** Which site has which frames, why, what that was expected to take, and what it took. Where there was a choice. */
export function PlacementPanel() {
  const { job } = useJobPart('job');
  if (!job) return null;
  const { placement } = job;
  const { wish, why, shares, leftOut, actual, finishSeconds } = placement;
  const isPinned = wish.sites !== undefined || wish.country !== undefined;
  if (placement.at === null || (shares.length + leftOut.length < 2 && !isPinned)) return null;
  const rows = rowsOf(placement);
  const longest = Math.max(
    1e-9,
    ...rows.map(({ share, actual }) => Math.max(share?.finishSeconds ?? 0, actual?.lastSeconds ?? 0)),
  );
  const isDone = job.frames.committed >= job.frames.total && actual.length > 0;
  const took = Math.max(0, ...actual.map(({ lastSeconds }) => lastSeconds ?? 0));
  return (
    <section className="panel placement" aria-label="Placement">
      <header className="panel-head">
        <h2>Sites</h2>
        <p className="count">
          {finishSeconds !== null && <>expected {formatSeconds(finishSeconds)}</>}
          {isDone && <>, took {formatSeconds(took)}</>}
        </p>
      </header>
      {why && <p className="placement-why">{why}</p>}
      {isPinned && (
        <p className="placement-why">
          Pinned to {[...(wish.sites ?? []), ...(wish.country ? [wish.country] : [])].join(', ')}.
        </p>
      )}
      <div className="placement-rows">
        <table>
          <thead>
            <tr>
              <th scope="col">Site</th>
              <th scope="col">Frames</th>
              <th scope="col">To stage</th>
              <th scope="col">To bring back</th>
              <th scope="col">Paced by</th>
              <th scope="col">Expected end</th>
              <th scope="col">So far</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <SiteRow key={row.siteId} {...row} longest={longest} />
            ))}
          </tbody>
        </table>
      </div>
      {leftOut.length > 0 && (
        <ul className="placement-out">
          {leftOut.map(({ siteId, name, reason }) => (
            <li key={siteId}>
              <strong>{name}</strong> takes no part: {reason}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface Row {
  siteId: string;
  name: string;
  /** Null: it has no share and took frames over. */
  share: Share | null;
  actual: Actual | null;
}

function rowsOf({ shares, actual }: Placement): Row[] {
  const planned = shares.map((share) => ({
    ...{ siteId: share.siteId, name: share.name, share },
    actual: actual.find(({ siteId }) => siteId === share.siteId) ?? null,
  }));
  const helpers = actual
    .filter(({ siteId }) => !shares.some((share) => share.siteId === siteId))
    .map((one) => ({ siteId: one.siteId, name: one.name, share: null, actual: one }));
  return [...planned, ...helpers];
}

function SiteRow({ name, share, actual, longest }: Row & { longest: number }) {
  const pace = share && PACE[share.bottleneck];
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {share ? (
          <>
            <span className="mono">{share.range}</span> <small>{plural(share.frames, 'frame')}</small>
          </>
        ) : (
          <small>took over</small>
        )}
      </td>
      <td className="mono">{share ? formatBytes(share.stageBytes) : ''}</td>
      <td className="mono">{share ? formatBytes(share.backBytes) : ''}</td>
      <td>
        {pace && (
          <span className="pace">
            <pace.icon size={13} aria-hidden="true" /> {pace.word}
          </span>
        )}
      </td>
      <td className="mono">{share ? formatSeconds(share.finishSeconds) : ''}</td>
      <td>
        <Span share={share} actual={actual} longest={longest} />
        <small className="mono">{soFar(actual)}</small>
      </td>
    </tr>
  );
}

function soFar(actual: Actual | null): string {
  if (!actual) return 'not begun';
  const { frames, beganSeconds, lastSeconds } = actual;
  if (lastSeconds === null) return `began after ${formatSeconds(beganSeconds)}`;
  return `${plural(frames, 'frame')}, ${formatSeconds(beganSeconds)} to ${formatSeconds(lastSeconds)}`;
}

/** What was worked as a bar, what was expected as a mark; the words beside it say the same. */
function Span({ share, actual, longest }: { share: Share | null; actual: Actual | null; longest: number }) {
  const percent = (seconds: number): string => `${Math.min(100, (seconds / longest) * 100)}%`;
  const last = actual?.lastSeconds ?? actual?.beganSeconds ?? 0;
  return (
    <span className="span" aria-hidden="true">
      {actual && (
        <i
          className="span-actual"
          style={{ left: percent(actual.beganSeconds), right: `calc(100% - ${percent(last)})` }}
        />
      )}
      {share && <i className="span-expected" style={{ left: percent(share.finishSeconds) }} />}
    </span>
  );
}
