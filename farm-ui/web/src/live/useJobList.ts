/** The studio's jobs, newest first, page by page, kept current by the event stream of the whole studio. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { JobEvent } from '../api/events.ts';
import { addresses, farm } from '../api/farm.ts';
import type { Job, Page } from '../api/types.ts';
import { setConnection } from '../ui/connection.ts';
import { needsFetch, patchJob } from './patchJob.ts';
import { openStream } from './stream.ts';

const PAGE = 50;
const KEY = ['jobs'];
const FETCH_PAUSE = 700;
type Pages = InfiniteData<Page<Job>, string | null>;

export function useJobList() {
  const client = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: KEY,
    queryFn: ({ pageParam }) => farm.jobs(pageParam, PAGE),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<Job>) => page.nextCursor,
  });

  useEffect(() => {
    const wanted = new Set<string>();
    let timer = 0;
    const fetchWanted = async (): Promise<void> => {
      timer = 0;
      const ids = [...wanted];
      wanted.clear();
      const known = new Set(client.getQueryData<Pages>(KEY)?.pages.flatMap(({ items }) => items.map(({ id }) => id)));
      const jobs = ids.every((id) => known.has(id))
        ? await Promise.all(ids.map((id) => farm.job(id).catch(() => null)))
        : [null];
      // A job that is new, or that is no more, changes the list itself.
      if (jobs.includes(null)) await client.invalidateQueries({ queryKey: KEY });
      for (const job of jobs) if (job) replace(job);
    };
    const want = (id: string): void => {
      wanted.add(id);
      if (timer === 0) timer = window.setTimeout(() => void fetchWanted(), FETCH_PAUSE);
    };
    const replace = (job: Job): void => {
      client.setQueryData<Pages>(KEY, (pages) =>
        mapJobs(pages, (one) => (one.id === job.id && job.eventSeq >= one.eventSeq ? job : one)),
      );
    };
    const take = (events: JobEvent[]): void => {
      client.setQueryData<Pages>(KEY, (pages) => mapJobs(pages, (job) => events.reduce(patchJob, job)));
      for (const event of events) if (needsFetch(event)) want(event.jobId);
    };
    const close = openStream({
      address: addresses.allEvents,
      onEvents: take,
      onConnection: setConnection,
      onResumed: () => void client.invalidateQueries({ queryKey: KEY }),
    });
    return () => {
      close();
      setConnection(null);
      window.clearTimeout(timer);
    };
  }, [client]);

  return list;
}

/** Pages with `change` applied to every job; the same objects where nothing changed, so that rows stay as they are. */
function mapJobs(pages: Pages | undefined, change: (job: Job) => Job): Pages | undefined {
  if (!pages) return pages;
  let changed = false;
  const mapped = pages.pages.map((page) => {
    const items = page.items.map(change);
    if (items.every((job, index) => job === page.items[index])) return page;
    changed = true;
    return { ...page, items };
  });
  return changed ? { ...pages, pages: mapped } : pages;
}
