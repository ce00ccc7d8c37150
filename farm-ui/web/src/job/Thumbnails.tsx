import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { CircleDashed, LoaderCircle, TriangleAlert, X } from 'lucide-react';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { addresses } from '../api/farm.ts';
import type { Job } from '../api/types.ts';
import type { FrameRow } from '../live/frameTable.ts';
import { useJobPart } from '../live/useJob.ts';
import { useWidth } from '../ui/useSize.ts';
import { UNIT_WORDS } from './FrameStrip.tsx';

const GAP = 8;
const LABEL = 20;
/** Pixels across: a cell on a screen of double density. */
const THUMB_WIDTH = 320;

/** All frames as pictures; only those in view exist. */
export function Thumbnails({ selected, onSelect }: { selected: number | null; onSelect: (index: number) => void }) {
  const store = useJobPart('frames');
  const job = store.job as Job;
  const ref = useRef<HTMLDivElement>(null);
  const width = useWidth(ref);
  const [margin, setMargin] = useState(0);
  const columns = Math.max(2, Math.round((width + GAP) / (152 + GAP)));
  const cell = Math.max(1, (width - GAP * (columns - 1)) / columns);
  const height = Math.round((cell * job.height) / job.width) + LABEL;
  const virtualizer = useWindowVirtualizer({
    count: Math.ceil(store.frames.length / columns),
    estimateSize: () => height + GAP,
    overscan: 2,
    scrollMargin: margin,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer is a new object on every draw
  useLayoutEffect(() => {
    setMargin((ref.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    virtualizer.measure();
  }, [width, height]);

  return (
    <section className="panel thumbs" aria-label="Thumbnails">
      <div ref={ref} className="thumb-grid" style={{ height: Math.max(0, virtualizer.getTotalSize() - GAP) }}>
        {width > 0 &&
          virtualizer.getVirtualItems().map((line) => (
            <div
              key={line.key}
              className="thumb-line"
              style={{
                transform: `translateY(${line.start - margin}px)`,
                height,
                gridTemplateColumns: `repeat(${columns}, 1fr)`,
                gap: GAP,
              }}
            >
              {Array.from({ length: Math.min(columns, store.frames.length - line.index * columns) }, (_, column) => {
                const row = store.frames.row(line.index * columns + column);
                return (
                  <Thumb
                    key={row.frame}
                    jobId={job.id}
                    ratio={job.width / job.height}
                    frame={row.frame}
                    status={row.status}
                    fraction={row.fraction === null ? null : Math.round(row.fraction * 100)}
                    src={addresses.preview(job.id, row, THUMB_WIDTH)}
                    whole={addresses.preview(job.id, row)}
                    chosen={row.index === selected}
                    index={row.index}
                    onSelect={onSelect}
                  />
                );
              })}
            </div>
          ))}
      </div>
    </section>
  );
}

interface ThumbProps {
  jobId: string;
  ratio: number;
  index: number;
  frame: number;
  status: FrameRow['status'];
  /** Percent, while it renders. */
  fraction: number | null;
  src: string | null;
  /** Where that cannot be had. */
  whole: string | null;
  chosen: boolean;
  onSelect: (index: number) => void;
}

const Thumb = memo(function Thumb({ ratio, index, frame, status, fraction, src, whole, chosen, onSelect }: ThumbProps) {
  const [failed, setFailed] = useState<string | null>(null);
  const shown = src !== null && failed === src ? whole : src;
  return (
    <button
      type="button"
      className={`thumb ${status} ${chosen ? 'chosen' : ''}`}
      aria-label={`Show frame ${frame}, ${UNIT_WORDS[status]}`}
      aria-pressed={chosen}
      data-frame={frame}
      data-status={status}
      onClick={() => onSelect(index)}
    >
      <span className="thumb-picture" style={{ aspectRatio: ratio }}>
        {shown === null ? (
          <Pending status={status} fraction={fraction} />
        ) : (
          <img src={shown} alt={`Frame ${frame}`} loading="lazy" decoding="async" onError={() => setFailed(src)} />
        )}
      </span>
      <span className="thumb-label mono">{frame}</span>
    </button>
  );
});

function Pending({ status, fraction }: { status: FrameRow['status']; fraction: number | null }) {
  if (status === 'leased') {
    return (
      <span className="thumb-live">
        <LoaderCircle size={15} aria-hidden="true" className="turning" />
        {fraction ? <span className="mono">{fraction} %</span> : null}
      </span>
    );
  }
  if (status === 'failed') return <TriangleAlert size={15} aria-hidden="true" className="tone-bad" />;
  if (status === 'cancelled') return <X size={15} aria-hidden="true" />;
  return <CircleDashed size={15} aria-hidden="true" />;
}
