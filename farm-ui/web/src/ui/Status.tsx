import {
  Aperture,
  Ban,
  Check,
  CircleDashed,
  CircleStop,
  CloudUpload,
  Pause,
  ReceiptText,
  ScanSearch,
  TimerOff,
  TriangleAlert,
} from 'lucide-react';
import type { Job, JobStatus, Stage } from '../api/types.ts';

const ICONS: Record<JobStatus, typeof Check> = {
  uploading: CloudUpload,
  preparing: ScanSearch,
  quoted: ReceiptText,
  active: Aperture,
  paused: Pause,
  stopping: CircleStop,
  completed: Check,
  cancelled: Ban,
  failed: TriangleAlert,
  expired: TimerOff,
};

const DOING: Record<Stage, string> = {
  intake: 'Taking in',
  plan: 'Planning',
  render: 'Rendering',
  verify: 'Verifying',
  assemble: 'Assembling',
  settle: 'Settling',
};

const WORDS: Record<Exclude<JobStatus, 'active'>, string> = {
  uploading: 'Uploading',
  preparing: 'Preparing',
  quoted: 'Quote ready',
  paused: 'Paused',
  stopping: 'Stopping',
  completed: 'Completed',
  cancelled: 'Cancelled',
  failed: 'Failed',
  expired: 'Quote expired',
};

type Shown = Pick<Job, 'status' | 'stage' | 'stages' | 'pauseReason' | 'delivery'>;

/** The status in one or two words, as every part of the page says it. */
function statusWord(job: Shown): string {
  const isSettled = job.stages.some(({ stage, state }) => stage === 'settle' && state === 'done');
  if (job.status === 'active' && isSettled && job.delivery.status === 'awaited') return 'Delivering';
  if (job.status === 'active') return DOING[job.stage];
  if (job.status === 'paused' && job.pauseReason === 'budget') return 'Paused at cap';
  return WORDS[job.status];
}

/** Colour family of a status; icon and word say the same beside it. */
export function statusTone(status: JobStatus): 'live' | 'done' | 'bad' | 'ask' | 'idle' {
  if (status === 'completed') return 'done';
  if (status === 'failed') return 'bad';
  if (status === 'quoted' || status === 'paused') return 'ask';
  if (status === 'cancelled' || status === 'expired') return 'idle';
  return 'live';
}

export function Status({ job }: { job: Shown }) {
  const Icon = ICONS[job.status] ?? CircleDashed;
  return (
    <span className={`status tone-${statusTone(job.status)}`}>
      <Icon size={14} aria-hidden="true" className={job.status === 'active' ? 'turning' : ''} />
      {statusWord(job)}
    </span>
  );
}
