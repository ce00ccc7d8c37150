import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { Clapperboard, Plus, Search } from 'lucide-react';
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { problemOf } from '../api/client.ts';
import type { Job } from '../api/types.ts';
import { formatCount } from '../lib/format.ts';
import { useJobList } from '../live/useJobList.ts';
import { Empty, Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { Segmented } from '../ui/Segmented.tsx';
import { useTitle } from '../ui/useTitle.ts';
import { filterJobs, type Show } from './filter.ts';
import { JobRow, ROW_HEIGHT } from './JobRow.tsx';

const SHOWS = [
  { value: 'all', text: 'All' },
  { value: 'running', text: 'Running' },
  { value: 'waiting', text: 'Waiting for you' },
  { value: 'ended', text: 'Ended' },
] as const;

/** All jobs, live. `j`/`k` move, Enter opens, `/` searches. */
export function JobsPage() {
  useTitle('Jobs');
  const list = useJobList();
  const [search, setSearch] = useState('');
  const [show, setShow] = useState<Show>('all');
  const [cursor, setCursor] = useState(-1);
  const [, navigate] = useLocation();
  const searchBox = useRef<HTMLInputElement>(null);
  const words = useDeferredValue(search);
  const all = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const jobs = useMemo(() => filterJobs(all, words, show), [all, words, show]);

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (typing || event.metaKey || event.ctrlKey || event.altKey || document.querySelector('dialog[open]')) return;
      if (event.key === '/') {
        event.preventDefault();
        searchBox.current?.focus();
      }
      if (event.key === 'j' || event.key === 'k') {
        setCursor((at) => Math.min(jobs.length - 1, Math.max(0, at + (event.key === 'j' ? 1 : -1))));
      }
      const chosen = jobs[cursor];
      if (event.key === 'Enter' && chosen && document.activeElement === document.body) navigate(`/jobs/${chosen.id}`);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [jobs, cursor, navigate]);

  if (list.isPending) {
    return (
      <main className="page">
        <JobsHead />
        <Skeleton lines={8} height={44} />
      </main>
    );
  }
  if (list.isError) {
    return (
      <main className="page">
        <JobsHead />
        <ProblemNote problem={problemOf(list.error)} />
      </main>
    );
  }
  if (all.length === 0) {
    return (
      <main className="page">
        <JobsHead />
        <Empty
          icon={<Clapperboard size={28} />}
          title="No jobs yet"
          action={
            <Link href="/submit" className="button primary">
              <Plus size={16} /> <span>New job</span>
            </Link>
          }
        >
          Drop a scene, look at the quote, and watch its frames arrive here.
        </Empty>
      </main>
    );
  }
  return (
    <main className="page">
      <JobsHead />
      <div className="tools">
        <label className="search">
          <Search size={15} aria-hidden="true" />
          <input
            ref={searchBox}
            type="search"
            value={search}
            placeholder="Search jobs"
            aria-label="Search jobs"
            onChange={(event) => setSearch(event.target.value)}
            onKeyDown={(event: KeyboardEvent<HTMLInputElement>) => event.key === 'Escape' && event.currentTarget.blur()}
          />
          <kbd>/</kbd>
        </label>
        <Segmented label="Show" value={show} options={SHOWS} onChange={setShow} />
        <p className="count" aria-live="polite">
          {formatCount(jobs.length)}
          {list.hasNextPage ? '+' : ''} {jobs.length === 1 && !list.hasNextPage ? 'job' : 'jobs'}
        </p>
      </div>
      {jobs.length === 0 ? (
        <Empty icon={<Search size={26} />} title="No job matches">
          Try another word, or show all.
        </Empty>
      ) : (
        <JobRows
          jobs={jobs}
          cursor={cursor}
          onEnd={() => list.hasNextPage && !list.isFetching && void list.fetchNextPage()}
        />
      )}
    </main>
  );
}

function JobsHead() {
  return (
    <header className="page-head">
      <h1>Jobs</h1>
      <Link href="/submit" className="button primary">
        <Plus size={16} aria-hidden="true" /> <span>New job</span>
      </Link>
    </header>
  );
}

function JobRows({ jobs, cursor, onEnd }: { jobs: Job[]; cursor: number; onEnd: () => void }) {
  const ref = useRef<HTMLDivElement>(null);
  const virtualizer = useWindowVirtualizer({
    count: jobs.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollMargin: ref.current?.offsetTop ?? 0,
    getItemKey: (index) => jobs[index]?.id ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: reaching the end is the event
  useEffect(() => {
    if (last >= jobs.length - 10) onEnd();
  }, [last, jobs.length]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the virtualizer is a new object on every draw
  useEffect(() => {
    if (cursor >= 0) virtualizer.scrollToIndex(cursor);
  }, [cursor]);
  return (
    <section className="jobs" aria-label="Jobs">
      <div className="job-columns" aria-hidden="true">
        <span>Shot</span>
        <span>Status</span>
        <span>Frames</span>
        <span>Cost / cap</span>
        <span>Submitted</span>
      </div>
      <div ref={ref} className="job-rows" style={{ height: virtualizer.getTotalSize() }}>
        {items.map((item) => {
          const job = jobs[item.index];
          return job ? (
            <JobRow
              key={item.key}
              job={job}
              marked={item.index === cursor}
              top={item.start - virtualizer.options.scrollMargin}
            />
          ) : null;
        })}
      </div>
    </section>
  );
}
