import { useQuery } from '@tanstack/react-query';
import { CircleAlert, FileSearch, Hourglass, TimerOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { problemOf } from '../api/client.ts';
import { farm } from '../api/farm.ts';
import type { Job, Problem } from '../api/types.ts';
import { formatMoment } from '../lib/format.ts';
import type { JobStore } from '../live/jobStore.ts';
import { JobStoreContext, useJobPart, useOpenJob, useStorePart } from '../live/useJob.ts';
import { Button } from '../ui/Button.tsx';
import { setConnection } from '../ui/connection.ts';
import { Empty, Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { Status } from '../ui/Status.tsx';
import { useTitle } from '../ui/useTitle.ts';
import { Actions } from './Actions.tsx';
import { CostPanel } from './CostPanel.tsx';
import { Deliverables } from './Deliverables.tsx';
import { DeliveryPanel } from './DeliveryPanel.tsx';
import { FrameStrip } from './FrameStrip.tsx';
import { InvoiceTab } from './InvoiceTab.tsx';
import { LogTail } from './LogTail.tsx';
import { PlacementPanel } from './PlacementPanel.tsx';
import { InspectionFacts, QuotePanel } from './QuotePanel.tsx';
import { StageRail } from './StageRail.tsx';
import { Thumbnails } from './Thumbnails.tsx';
import { type Screen, Viewer } from './Viewer.tsx';
import { WhyPanel } from './WhyPanel.tsx';

/** A job: its quote while it waits for a word, then its frames, film, cost and invoice, live. */
export function JobPage({ id, tab }: { id: string; tab: string }) {
  const store = useOpenJob(id);
  useStorePart(store, 'job');
  useStorePart(store, 'connection');
  useEffect(() => {
    setConnection(store?.job ? store.connection : null);
  });
  useEffect(() => () => setConnection(null), []);
  useTitle(store?.job?.name ?? 'Job');

  if (!store?.job) {
    const problem = store?.problem;
    return (
      <main className="page">
        {problem?.status === 404 ? (
          <Empty
            icon={<FileSearch size={28} />}
            title="No such job"
            action={
              <Link href="/" className="button">
                <span>All jobs</span>
              </Link>
            }
          >
            {problem.detail}
          </Empty>
        ) : problem ? (
          <ProblemNote problem={problem} />
        ) : (
          <Skeleton lines={6} height={40} />
        )}
      </main>
    );
  }
  return (
    <JobStoreContext value={store}>
      <main className="page job">
        <JobHead job={store.job} store={store} tab={tab} />
        {tab === 'invoice' ? <InvoiceTab /> : <Shot />}
      </main>
    </JobStoreContext>
  );
}

const TECHNIQUE_WORDS = { raster: 'draft', raycast: 'quick look', pathtrace: 'final' } as const;

function JobHead({ job, store, tab }: { job: Job; store: JobStore; tab: string }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const accepted = job.acceptedAt !== null;
  return (
    <>
      <header className="job-head">
        <div className="job-title">
          <h1>{job.name}</h1>
          {job.version !== null && <span className="version mono">v{String(job.version).padStart(3, '0')}</span>}
          <span role="status" aria-live="polite">
            <Status job={job} />
          </span>
        </div>
        <p className="job-facts">
          <span className="mono">{job.frameRange}</span>
          <span className="mono">
            {job.width}×{job.height}
          </span>
          <span>{TECHNIQUE_WORDS[job.settings.technique]}</span>
          {job.settings.technique === 'pathtrace' && (
            <span>
              <span className="mono">{job.samples}</span> samples
            </span>
          )}
          {job.settings.tier !== 'auto' && <span>{job.settings.tier.toUpperCase()} nodes</span>}
          <span title={job.settings.output.layers.join('\n')}>
            <span className="mono">{job.settings.output.layers.length}</span>{' '}
            {job.settings.output.layers.length === 1 ? 'layer' : 'layers'}
          </span>
          <span>
            <span className="mono">{job.fps}</span> fps
          </span>
          <span>
            submitted <time dateTime={job.createdAt}>{formatMoment(job.createdAt)}</time>
          </span>
        </p>
        <Actions job={job} store={store} onProblem={setProblem} />
      </header>
      {problem && <ProblemNote problem={problem} />}
      {job.problem && <ProblemNote problem={job.problem} />}
      {store.problem && <ProblemNote problem={store.problem} />}
      <StageRail />
      {job.warnings.length > 0 && (
        <div className="note warn">
          <CircleAlert size={16} aria-hidden="true" />
          <ul className="note-body warnings">
            {job.warnings.map((warning) => (
              <li key={warning.code + warning.message}>
                <span className="note-title">{warning.message}</span>
                <span className="note-code mono">{warning.code}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {accepted && (
        <nav className="tabs" aria-label="Parts of the job">
          <Link href={`/jobs/${job.id}`} aria-current={tab === 'invoice' ? undefined : 'page'}>
            Shot
          </Link>
          <Link href={`/jobs/${job.id}/invoice`} aria-current={tab === 'invoice' ? 'page' : undefined}>
            Invoice
          </Link>
        </nav>
      )}
    </>
  );
}

function Shot() {
  const store = useJobPart('job');
  const job = store.job as Job;
  const [chosen, setChosen] = useState<number | null>(null);
  const [screen, setScreen] = useState<Screen | null>(null);
  const outputs = useQuery({
    queryKey: ['outputs', job.id, store.outputsSeen, job.status],
    queryFn: () => farm.outputs(job.id),
    enabled: job.acceptedAt !== null,
    placeholderData: (before) => before,
    // Signed addresses run out; a page left open asks again when it is looked at.
    staleTime: 10 * 60_000,
    refetchOnWindowFocus: true,
  });

  if (job.acceptedAt === null) {
    return (
      <>
        {job.status !== 'quoted' && <Unaccepted job={job} />}
        {job.quote && job.status === 'quoted' && (
          <QuotePanel key={job.quote.expiresAt} job={job} quote={job.quote} store={store} />
        )}
        {job.inspection && <InspectionFacts inspection={job.inspection} />}
      </>
    );
  }
  const select = (index: number): void => {
    setChosen(index);
    setScreen('frame');
  };
  // Left alone, the screen follows the newest frame and ends on the film.
  const film = outputs.data?.film ?? null;
  const shownScreen = screen ?? (film && job.status === 'completed' ? 'film' : 'frame');
  return (
    <div className="shot">
      <div className="shot-main">
        <FollowingViewer
          outputs={outputs.data}
          screen={shownScreen}
          onScreen={setScreen}
          chosen={chosen}
          onFollow={() => setChosen(null)}
        />
        <FrameStrip selected={chosen} viewed={shownScreen === 'frame'} onSelect={select} />
        <PlacementPanel />
        <Thumbnails selected={chosen} onSelect={select} />
      </div>
      <aside className="shot-side" aria-label="Cost and progress">
        <CostPanel />
        <WhyPanel />
        <DeliveryPanel />
        <Deliverables outputs={outputs.data} jobId={job.id} />
        <LogTail />
      </aside>
    </div>
  );
}

/** A submission without a deal: on its way to a quote, or past it. */
function Unaccepted({ job }: { job: Job }) {
  const [, navigate] = useLocation();
  const [problem, setProblem] = useState<Problem | null>(null);
  const underway = job.status === 'uploading' || job.status === 'preparing';
  const discard = (): void => {
    farm.declineQuote(job.id).then(
      () => navigate('/'),
      (error: unknown) => setProblem(problemOf(error)),
    );
  };
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <Empty
        icon={underway ? <Hourglass size={28} /> : <TimerOff size={28} />}
        title={
          underway
            ? 'On its way to a quote'
            : job.status === 'expired'
              ? 'The quote has expired'
              : 'The quote was declined'
        }
        action={
          underway ? (
            <Button onClick={discard}>Discard</Button>
          ) : (
            <Link href="/submit" className="button">
              <span>Submit again</span>
            </Link>
          )
        }
      >
        {underway
          ? 'Its files are being sent and looked at where it was submitted. If that page was closed, discard this and submit again; what was sent need not be sent twice.'
          : 'Nothing was charged.'}
      </Empty>
    </>
  );
}

type FollowingProps = Omit<Parameters<typeof Viewer>[0], 'index' | 'following'> & { chosen: number | null };

function FollowingViewer({ chosen, ...rest }: FollowingProps) {
  const { frames } = useJobPart('frames');
  return <Viewer {...rest} index={chosen ?? frames.newest} following={chosen === null} />;
}
