import { Download, Film, Image as ImageIcon, LayoutGrid, SkipForward } from 'lucide-react';
import { useEffect, useState } from 'react';
import { addresses } from '../api/farm.ts';
import type { Job, Outputs } from '../api/types.ts';
import { formatSeconds } from '../lib/format.ts';
import { formatToken } from '../lib/money.ts';
import { tokenOf } from '../lib/token.ts';
import type { FrameRow } from '../live/frameTable.ts';
import { useJobPart } from '../live/useJob.ts';
import { Button } from '../ui/Button.tsx';
import { Segmented } from '../ui/Segmented.tsx';
import { UNIT_WORDS } from './FrameStrip.tsx';

export type Screen = 'frame' | 'film' | 'sheet';

interface ViewerProps {
  outputs: Outputs | undefined;
  screen: Screen;
  onScreen: (screen: Screen) => void;
  /** Row in view, or null while no frame is there. */
  index: number | null;
  /** Whether the view follows the newest frame. */
  following: boolean;
  onFollow: () => void;
}

/** The screen: a frame, the film or the contact sheet, in the shape of the shot. */
export function Viewer({ outputs, screen, onScreen, index, following, onFollow }: ViewerProps) {
  const store = useJobPart('frames');
  const job = store.job as Job;
  const row = index !== null && index < store.frames.length ? store.frames.row(index) : null;
  const screens = [
    { value: 'frame', text: 'Frame', icon: <ImageIcon size={14} aria-hidden="true" /> },
    { value: 'film', text: 'Film', icon: <Film size={14} aria-hidden="true" />, disabled: !outputs?.film },
    {
      value: 'sheet',
      text: 'Contact sheet',
      icon: <LayoutGrid size={14} aria-hidden="true" />,
      disabled: !outputs?.contactSheet,
    },
  ] as const;
  return (
    <section className="panel viewer" aria-label="Viewer">
      <div className="screen" style={{ aspectRatio: `${job.width} / ${job.height}` }}>
        {screen === 'film' && outputs?.film ? (
          <video
            key={outputs.film.hash}
            src={addresses.film(job.id)}
            controls
            loop
            autoPlay
            muted
            playsInline
            aria-label={`Film of ${job.name}`}
          />
        ) : screen === 'sheet' && outputs?.contactSheet ? (
          <img src={addresses.contactSheet(job.id)} alt={`Contact sheet of ${job.name}`} />
        ) : (
          <FramePicture job={job} row={row} />
        )}
      </div>
      <footer className="viewer-bar">
        {screen === 'frame' && row ? <FrameFacts job={job} row={row} /> : <span className="frame-facts" />}
        <div className="viewer-tools">
          {screen === 'frame' && !following && job.status === 'active' && (
            <Button tone="quiet" icon={<SkipForward size={14} />} onClick={onFollow}>
              Newest
            </Button>
          )}
          <Segmented label="Show" value={screen} options={screens} onChange={onScreen} />
        </div>
      </footer>
    </section>
  );
}

/** Pixels across that a screen shows of a frame; the whole is for download. */
const SCREEN_WIDTH = 2560;

/** The preview of a frame. The picture before stays until the next one is decoded, so that scrubbing never flashes. */
function FramePicture({ job, row }: { job: Job; row: FrameRow | null }) {
  const wanted = addresses.preview(job.id, row);
  const small = addresses.preview(job.id, row, SCREEN_WIDTH);
  const [shown, setShown] = useState<{ src: string; frame: number } | null>(null);
  useEffect(() => {
    if (wanted === null || small === null || !row) return;
    let current = true;
    const show = (src: string): void => {
      if (current) setShown({ src, frame: row.frame });
    };
    const image = new Image();
    image.src = small;
    // A site whose agent is silent still has the whole picture.
    image.decode().then(
      () => show(small),
      () => show(wanted),
    );
    return () => {
      current = false;
    };
  }, [wanted, small, row]);

  if (wanted === null) {
    return (
      <div className="screen-empty">
        {row === null ? (
          <p>{job.endedAt === null ? 'No frame yet' : 'No frame was finished'}</p>
        ) : (
          <p>{`Frame ${row.frame} is ${UNIT_WORDS[row.status]}`}</p>
        )}
        {row?.fraction ? <p className="mono">{Math.round(row.fraction * 100)} %</p> : null}
      </div>
    );
  }
  return shown ? <img src={shown.src} alt={`Frame ${shown.frame}, large`} /> : <div className="screen-empty" />;
}

function FrameFacts({ job, row }: { job: Job; row: FrameRow }) {
  return (
    <p className="frame-facts" aria-live="off">
      <strong className="mono">{row.frame}</strong>
      <span>{UNIT_WORDS[row.status]}</span>
      {row.node !== null && <span>{row.node}</span>}
      {row.renderSeconds !== null && <span className="mono">{formatSeconds(row.renderSeconds)}</span>}
      {row.price !== null && row.status === 'committed' && (
        <span className="mono">{formatToken(row.price, tokenOf(job))}</span>
      )}
      {row.warnings > 0 && (
        <span className="tone-ask">{row.warnings === 1 ? '1 warning' : `${row.warnings} warnings`}</span>
      )}
      {row.status === 'committed' && row.unitId !== null && (
        <a className="link" href={addresses.exr(job.id, row.unitId)} download>
          <Download size={14} aria-hidden="true" /> EXR
        </a>
      )}
      {row.status === 'committed' && row.unitId !== null && job.settings.output.picture !== 'png' && (
        <a className="link" href={addresses.picture(job.id, row.unitId)} download>
          <Download size={14} aria-hidden="true" /> {job.settings.output.picture.toUpperCase()}
        </a>
      )}
    </p>
  );
}
