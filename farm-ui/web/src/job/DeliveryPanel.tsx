import { CircleCheck, Clock, TriangleAlert } from 'lucide-react';
import { formatCount } from '../lib/format.ts';
import { useJobPart } from '../live/useJob.ts';
import { Bar } from '../ui/Bar.tsx';

const WORDS = {
  awaited: { icon: Clock, text: 'The job ends when all have arrived.', tone: 'live' },
  overdue: { icon: TriangleAlert, text: 'The job did not wait any longer. “farm pull” gets the others.', tone: 'ask' },
  delivered: { icon: CircleCheck, text: 'All acknowledged, hash by hash.', tone: 'done' },
  'on-demand': { icon: Clock, text: 'Fetched when you like.', tone: 'idle' },
} as const;

/** How many frames have reached the studio, by its own word. */
export function DeliveryPanel() {
  const { job } = useJobPart('job');
  if (!job) return null;
  const { status, delivered, of } = job.delivery;
  if (status === 'on-demand' && delivered === 0) return null;
  const { icon: Icon, text, tone } = WORDS[status];
  return (
    <section className="panel" aria-label="Delivery">
      <header className="panel-head">
        <h2>Delivered</h2>
        <span className="mono faint">
          {formatCount(delivered)} of {formatCount(of)}
        </span>
      </header>
      <Bar label="Frames delivered to the studio" fraction={of === 0 ? 0 : delivered / of} tone={tone} />
      <p className={`delivery-word tone-${tone}`}>
        <Icon size={14} aria-hidden="true" /> <span>{text}</span>
      </p>
    </section>
  );
}
