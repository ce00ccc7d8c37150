/** Which jobs a list shows. */
import type { Job, JobStatus } from '../api/types.ts';

export type Show = 'all' | 'running' | 'waiting' | 'ended';

const GROUP: Record<JobStatus, Exclude<Show, 'all'>> = {
  uploading: 'running',
  preparing: 'running',
  quoted: 'waiting',
  active: 'running',
  paused: 'waiting',
  stopping: 'running',
  completed: 'ended',
  cancelled: 'ended',
  failed: 'ended',
  expired: 'ended',
};

/** Jobs of the group whose name, id or status holds every word; the same array when nothing is left out. */
export function filterJobs(jobs: Job[], search: string, show: Show): Job[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && show === 'all') return jobs;
  return jobs.filter((job) => {
    if (show !== 'all' && GROUP[job.status] !== show) return false;
    const text = `${job.name} ${job.id} ${job.status} ${job.stage}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
