import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { modelledReport } from '../../../sim/modelReport.ts';
import { readOptions } from '../../../sim/options.ts';
import type { CentreAndEdge } from '../edgeReport.ts';
import { writeReport } from './write.ts';

const report = () => modelledReport(readOptions(['--frames', '40']).question, '2026-01-01T00:00:00Z');

it('writes JSON, Markdown, one page without links to anything, and a picture for each figure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-report-'));
  try {
    await writeReport(join(folder, 'run'), report());
    const names = await readdir(folder);
    const markdown = await readFile(join(folder, 'run.md'), 'utf8');
    const page = await readFile(join(folder, 'run.html'), 'utf8');
    for (const [, picture] of markdown.matchAll(/\]\(([^)]+\.svg)\)/g)) expect(names).toContain(picture);
    for (const title of ['The result', 'The controls', 'Where the edge wins, and where not', 'Bytes on the links']) {
      expect(markdown).toContain(`## ${title}`);
      expect(page).toContain(`<h2>${title}</h2>`);
    }
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(5);
    expect(page).not.toMatch(/(src|href)="/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(markdown).not.toMatch(/NaN|undefined|Infinity/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('says first of all that a run does not count, and takes texts as texts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-report-'));
  try {
    await writeReport(join(folder, 'run'), { ...report(), failures: ['edge: 3 frames are <alike>'] });
    const page = await readFile(join(folder, 'run.html'), 'utf8');
    expect(page).toContain('This run does not count: edge: 3 frames are &lt;alike&gt;.');
    expect(page.indexOf('does not count')).toBeLessThan(page.indexOf('class="cards"'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('says that one run of the centre stands for a whole sweep of the studio’s link', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-report-'));
  try {
    const { controls, ...rest } = report();
    const [{ centre }] = controls.studioLinkSweep! as [CentreAndEdge];
    const unbound = { ...centre, parameters: { ...centre.parameters, studioLinkMbits: null } };
    const studioLinkSweep = controls.studioLinkSweep!.map(({ edge }) => ({ centre: unbound, edge }));
    await writeReport(join(folder, 'run'), { ...rest, controls: { ...controls, studioLinkSweep } });
    const markdown = await readFile(join(folder, 'run.md'), 'utf8');
    expect(markdown).toContain('The centre ran once, with no bound on the studio’s link');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
