import { expect, it } from 'vitest';
import { type EdgeOptions, PARTS } from './options.ts';
import { planRuns } from './plan.ts';

const options: EdgeOptions = {
  ...{ size: 0.02, linkMbits: 33, sites: 10, engine: 'replay', renderSeconds: 1, project: 'shot', frames: 100 },
  ...{ parts: PARTS, json: null, report: null, keep: false },
};

it('makes every run once, the wide centre before the sites are up, and edges when no centre is needed any more', () => {
  const runs = planRuns(options);
  const names = runs.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  // The same run answers for the compressed pair and for the sweep of the studio's link.
  expect(names.filter((name) => name === 'uncompressed.centre')).toHaveLength(1);
  expect(names.slice(0, 2)).toEqual(['wideCentre', 'main.centre']);
  const topologies = runs.map(({ parameters }) => parameters.topology);
  expect(topologies.lastIndexOf('centre')).toBeLessThan(topologies.indexOf('edge'));
});

it('gives a part that is asked for alone all that it needs', () => {
  const names = planRuns({ ...options, parts: ['studio-link'] }).map(({ name }) => name);
  expect(names).toEqual(['uncompressed.centre', 'studioLink1.edge', 'studioLink3.edge']);
});
