import { Aperture, Check, Film, Landmark, Minus, PackageOpen, Route, ShieldCheck, X } from 'lucide-react';
import type { Stage, StageProgress } from '../api/types.ts';
import { formatSeconds } from '../lib/format.ts';
import { useJobPart } from '../live/useJob.ts';

const ICONS: Record<Stage, typeof Check> = {
  intake: PackageOpen,
  plan: Route,
  render: Aperture,
  verify: ShieldCheck,
  assemble: Film,
  settle: Landmark,
};

/** The six stages in their order, with how far and how long. */
export function StageRail() {
  const { job } = useJobPart('job');
  if (!job) return null;
  return (
    <ol className="stages" aria-label="Stages">
      {job.stages.map((stage) => (
        <StageItem key={stage.stage} stage={stage} halted={job.status === 'paused'} />
      ))}
    </ol>
  );
}

function StageItem({ stage, halted }: { stage: StageProgress; halted: boolean }) {
  const Icon =
    stage.state === 'done'
      ? Check
      : stage.state === 'failed'
        ? X
        : stage.state === 'skipped'
          ? Minus
          : ICONS[stage.stage];
  const running = stage.state === 'running';
  const percent = Math.round(stage.fraction * 100);
  return (
    <li className={`stage ${stage.state}`} aria-current={running ? 'step' : undefined}>
      <Icon size={15} aria-hidden="true" className={running && !halted && stage.stage === 'render' ? 'turning' : ''} />
      <span className="stage-name">{stage.stage}</span>
      <span className="stage-time">
        {stage.seconds !== null
          ? formatSeconds(stage.seconds)
          : running
            ? `${percent} %`
            : stage.state === 'skipped'
              ? 'skipped'
              : ''}
      </span>
      <span
        className="stage-bar"
        role="progressbar"
        aria-label={`Stage ${stage.stage}, ${stage.state}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={stage.state === 'done' ? 100 : percent}
      >
        <span style={{ transform: `scaleX(${stage.state === 'done' ? 1 : stage.fraction})` }} />
      </span>
    </li>
  );
}
