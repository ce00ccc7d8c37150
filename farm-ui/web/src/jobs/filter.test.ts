import { describe, expect, it } from 'vitest';
import type { Job } from '../api/types.ts';
import { filterJobs } from './filter.ts';

const job = (name: string, status: Job['status']): Job => ({ id: `id-${name}`, name, status, stage: 'render' }) as Job;
const jobs = [job('robot-walk', 'active'), job('helmet', 'quoted'), job('robot-idle', 'completed')];

describe('filterJobs', () => {
  it('keeps the array when nothing is left out', () => expect(filterJobs(jobs, '  ', 'all')).toBe(jobs));
  it('wants every word, in any case', () => {
    expect(filterJobs(jobs, 'ROBOT walk', 'all').map(({ name }) => name)).toEqual(['robot-walk']);
  });
  it('groups by what the job waits for', () => {
    expect(filterJobs(jobs, '', 'waiting').map(({ name }) => name)).toEqual(['helmet']);
    expect(filterJobs(jobs, 'robot', 'ended').map(({ name }) => name)).toEqual(['robot-idle']);
  });
});
