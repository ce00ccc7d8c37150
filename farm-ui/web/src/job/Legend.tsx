import { formatCount, formatSeconds } from '../lib/format.ts';
import { type FrameTable, UNIT_STATUSES } from '../live/frameTable.ts';
import type { StripMode } from './drawStrip.ts';

const GROUPS = [
  { text: 'done', form: 'done', of: ['committed'] },
  { text: 'verifying', form: 'checking', of: ['uploaded', 'verified'] },
  { text: 'rendering', form: 'live', of: ['leased'] },
  { text: 'waiting', form: 'waiting', of: ['planned', 'offered'] },
  { text: 'failed', form: 'bad', of: ['failed'] },
  { text: 'cancelled', form: 'cancelled', of: ['cancelled'] },
] as const;

/** What the strip's forms mean, with how many frames are in each; or the scale of render times. */
export function Legend({ table, mode }: { table: FrameTable; mode: StripMode }) {
  if (mode === 'time') {
    return (
      <p className="legend">
        <span>quick</span>
        <span className="ramp" aria-hidden="true">
          {[1, 2, 3, 4, 5, 6].map((step) => (
            <i key={step} style={{ background: `var(--ramp-${step})` }} />
          ))}
        </span>
        <span>{table.maxSeconds > 0 ? formatSeconds(table.maxSeconds) : 'slow'}</span>
      </p>
    );
  }
  return (
    <ul className="legend" aria-label="Frames by status">
      {GROUPS.map(({ text, form, of }) => {
        const count = of.reduce((sum, status) => sum + (table.counts[UNIT_STATUSES.indexOf(status)] as number), 0);
        return count === 0 ? null : (
          <li key={form}>
            <i className={`swatch ${form}`} aria-hidden="true" />
            <strong>{formatCount(count)}</strong> {text}
          </li>
        );
      })}
    </ul>
  );
}
