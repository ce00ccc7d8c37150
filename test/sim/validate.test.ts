import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeReport } from '../bench/edge/edgeReport.ts';
import { inventedCosts } from './inventedCosts.ts';
import { modelledReport } from './modelReport.ts';
import { FARM, readOptions } from './options.ts';
import { runsOf, type Validation, validate } from './validate.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-validate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const modelled = (): EdgeReport =>
  modelledReport(readOptions(['--size', '0.02', '--link', '33', '--frames', '40']).question, '2026-01-01T00:00:00Z');

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('validation', () => {
  it('finds every run of a report once', () => {
    const report = modelled();
    const names = runsOf(report).map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('controls.studioLinkSweep[0].edge');
    expect(names).toContain('allShared.centre');
  });

  it('counts a run once that stands in two places of a file', () => {
    const report = modelled();
    const [first, second] = report.controls.studioLinkSweep!;
    const studioLinkSweep = [first!, { ...second!, centre: first!.centre }];
    const shared = { ...report, controls: { ...report.controls, studioLinkSweep } };
    const names = (one: EdgeReport) => runsOf(one).map(([name]) => name);
    expect(names(JSON.parse(JSON.stringify(shared)) as EdgeReport)).toEqual(names(shared));
    expect(names(shared)).not.toContain('controls.studioLinkSweep[1].centre');
  });

  it('tells by how much the model is off, and whether that is within the aims', async () => {
    // Runs whose true seconds are known: the model's own, passed off as measured, one of them 8 % slower.
    const { origin, ...report } = modelled();
    const exact = await validate([await file('exact.json', report)], FARM);
    expect(exact.largestError).toBeLessThan(1e-6);
    expect(exact.holds).toBe(true);
    const slower = { ...report, edge: { ...report.edge!, seconds: report.edge!.seconds * 1.08 } };
    const off = await validate([await file('off.json', slower)], FARM);
    expect(off.largestError).toBeCloseTo(1 - 1 / 1.08, 6);
    const far = { ...report, edge: { ...report.edge!, seconds: report.edge!.seconds * 1.2 } };
    expect((await validate([await file('far.json', far)], FARM)).holds).toBe(false);
  });

  it('knows the machine of a report that measured its costs, and lends them to one that did not', async () => {
    const { origin, ...report } = modelled();
    const [bare, measured] = [
      await file('bare.json', report),
      await file('costs.json', { ...report, costs: inventedCosts() }),
    ];
    const alone = await validate([bare], FARM);
    const own = await validate([measured], FARM);
    const lent = await validate([bare], FARM, measured);
    const edge = ({ predictions }: Validation): number =>
      predictions.find(({ run }) => run.endsWith(' edge'))!.predictedSeconds;
    // Ten sites on two cores take longer than ten sites with a machine each.
    expect(edge(own)).toBeGreaterThan(1.1 * edge(alone));
    expect(edge(lent)).toBe(edge(own));
    await expect(validate([bare], FARM, bare)).rejects.toThrow('no costs');
  });

  it('refuses what is no report of measured runs', async () => {
    await expect(validate([join(folder, 'none.json')], FARM)).rejects.toMatchObject({ code: 'FileNotFound' });
    await expect(validate([await file('text.json', 'no')], FARM)).rejects.toThrow('no JSON');
    await expect(validate([await file('other.json', { a: 1 })], FARM)).rejects.toThrow('no report');
    await expect(validate([await file('own.json', modelled())], FARM)).rejects.toThrow('against itself');
  });
});
