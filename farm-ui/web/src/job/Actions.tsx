import { CircleStop, Pause, Play, TrendingUp } from 'lucide-react';
import { useState } from 'react';
import { problemOf } from '../api/client.ts';
import { farm } from '../api/farm.ts';
import type { Job, Problem } from '../api/types.ts';
import { plural } from '../lib/format.ts';
import { exactUnits, formatToken, parseUnits } from '../lib/money.ts';
import { tokenOf } from '../lib/token.ts';
import type { JobStore } from '../live/jobStore.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';

/** What can be done to a job in its present state. */
export function Actions({
  job,
  store,
  onProblem,
}: {
  job: Job;
  store: JobStore;
  onProblem: (problem: Problem | null) => void;
}) {
  const [busy, setBusy] = useState<string | null>(null);
  const [dialog, setDialog] = useState<'cancel' | 'cap' | null>(null);
  const act = async (name: string, call: () => Promise<Job>): Promise<boolean> => {
    setBusy(name);
    onProblem(null);
    try {
      await call();
      await store.fetchJob();
      return true;
    } catch (error) {
      onProblem(problemOf(error));
      return false;
    } finally {
      setBusy(null);
    }
  };
  const alive = job.status === 'active' || job.status === 'paused';
  if (!alive && job.status !== 'stopping') return null;
  return (
    <div className="actions">
      {job.status === 'active' && (
        <Button
          icon={<Pause size={15} />}
          busy={busy === 'pause'}
          onClick={() => void act('pause', () => farm.pauseJob(job.id))}
        >
          Pause
        </Button>
      )}
      {job.status === 'paused' && job.pauseReason !== 'budget' && (
        <Button
          tone="primary"
          icon={<Play size={15} />}
          busy={busy === 'resume'}
          onClick={() => void act('resume', () => farm.resumeJob(job.id))}
        >
          Resume
        </Button>
      )}
      {alive && (
        <Button
          tone={job.pauseReason === 'budget' ? 'primary' : 'plain'}
          icon={<TrendingUp size={15} />}
          onClick={() => setDialog('cap')}
        >
          Raise cap
        </Button>
      )}
      <Button
        tone="danger"
        icon={<CircleStop size={15} />}
        busy={busy === 'cancel' || job.status === 'stopping'}
        onClick={() => setDialog('cancel')}
      >
        Cancel job
      </Button>
      <Dialog
        open={dialog === 'cancel'}
        title={`Cancel ${job.name}?`}
        onClose={() => setDialog(null)}
        footer={
          <>
            <Button onClick={() => setDialog(null)}>Keep rendering</Button>
            <Button
              tone="danger"
              onClick={() => {
                setDialog(null);
                void act('cancel', () => farm.cancelJob(job.id));
              }}
            >
              Yes, cancel
            </Button>
          </>
        }
      >
        <p>
          Nodes stop within seconds. {plural(job.frames.committed, 'finished frame')}{' '}
          {job.frames.committed === 1 ? 'stays' : 'stay'} yours and billed; the rest of the escrow comes back. This
          cannot be undone.
        </p>
      </Dialog>
      <CapDialog
        key={job.cap}
        job={job}
        open={dialog === 'cap'}
        onClose={() => setDialog(null)}
        onRaised={() => void store.fetchJob()}
      />
    </div>
  );
}

function CapDialog({
  job,
  open,
  onClose,
  onRaised,
}: {
  job: Job;
  open: boolean;
  onClose: () => void;
  onRaised: () => void;
}) {
  const token = tokenOf(job);
  const needed = neededCap(job);
  const [text, setText] = useState(
    exactUnits(needed > BigInt(job.cap) ? needed : (BigInt(job.cap) * 5n) / 4n, token.decimals),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const cap = parseUnits(text, token.decimals);
  const enough = cap !== null && cap > BigInt(job.cap);
  const raise = async (): Promise<void> => {
    if (!enough) return;
    setBusy(true);
    setProblem(null);
    try {
      await farm.raiseCap(job.id, cap.toString());
      onRaised();
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={open}
      title="Raise the cap"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button tone="primary" busy={busy} disabled={!enough} onClick={() => void raise()}>
            Raise to {cap === null ? '…' : formatToken(cap, token)}
          </Button>
        </>
      }
    >
      <p>
        The cap is {formatToken(job.cap, token)}. All frames together come to about {formatToken(needed, token)}. The
        difference is deposited in escrow; what is not used comes back.
      </p>
      <label className="field">
        <span className="field-label">New cap, {token.symbol}</span>
        <input
          type="text"
          className="mono"
          inputMode="decimal"
          value={text}
          aria-invalid={!enough}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === 'Enter' && void raise()}
        />
        {!enough && <small className="field-error">Write an amount above {formatToken(job.cap, token)}.</small>}
      </label>
      {problem && <ProblemNote problem={problem} />}
    </Dialog>
  );
}

/** What is spent, and the price of every frame still to come. */
function neededCap(job: Job): bigint {
  const left = Math.max(0, job.frames.total - job.frames.committed);
  return BigInt(job.spent) + BigInt(job.quote?.unitPrice ?? '0') * BigInt(left);
}
