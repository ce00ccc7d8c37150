import { useQuery } from '@tanstack/react-query';
import { Hourglass } from 'lucide-react';
import { useEffect, useState } from 'react';
import { farm } from '../api/farm.ts';
import { LEASED } from '../live/frameTable.ts';
import { useJobPart } from '../live/useJob.ts';

/** Waiting for less than this is the usual hand-over between frames, and no news. */
const PATIENCE = 1500;

/** Says why nothing moves, while nothing moves. */
export function WhyPanel() {
  const store = useJobPart('job');
  useJobPart('frames');
  const { job } = store;
  const rendering = store.frames.counts[LEASED] as number;
  const left = job ? job.frames.total - job.frames.committed : 0;
  const still =
    job !== null &&
    left > 0 &&
    (job.status === 'paused' || (job.status === 'active' && job.stage === 'render' && rendering === 0));
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    if (!still) {
      setWaiting(false);
      return;
    }
    const timer = window.setTimeout(() => setWaiting(true), PATIENCE);
    return () => window.clearTimeout(timer);
  }, [still]);
  // The reasons change with what the job's events tell, so the event number is part of the key.
  const why = useQuery({
    queryKey: ['why', store.id, job?.status, job?.eventSeq],
    queryFn: () => farm.why(store.id),
    enabled: waiting,
    placeholderData: (before) => before,
  });
  const reasons = why.data?.reasons ?? [];
  if (!waiting || reasons.length === 0) return null;
  return (
    <section className="panel why" aria-label="Why is it waiting" aria-live="polite">
      <header className="panel-head">
        <h2>
          <Hourglass size={15} aria-hidden="true" /> Why is it waiting?
        </h2>
      </header>
      <ul>
        {reasons.map((reason) => (
          <li key={reason.code + reason.message}>
            <strong>{reason.message}</strong>
            {reason.remedy !== '' && <p>{reason.remedy}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
