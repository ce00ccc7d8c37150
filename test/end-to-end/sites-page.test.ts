/** Sites in a real browser: a list for everybody, buttons for operators, and on a job where its frames go. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readClientFile } from '../../cli/connection.ts';
import { FarmClient } from '../../cli/sdk/client.ts';
import { pullJob } from '../../cli/sdk/pull.ts';
import { launchBrowser } from '../support/browser.ts';
import { submitScene, untilFinal } from '../support/farm.ts';
import { writeCube } from '../support/scenes.ts';

const { home, url, key } = inject('farm');
const operatorKey = readClientFile(home)!.operatorKey!;
const client = new FarmClient({ url, key });
const operator = new FarmClient({ url, key: operatorKey });
const SITE = 'page-garage';
let folder: string;
let browser: Browser;
const complaints: string[] = [];

/** The page as its owner of this key sees it. */
async function openPage(as: string, path: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${url}${path}#key=${as}`);
  await page.getByRole('navigation', { name: 'Places' }).waitFor();
  return page;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-sites-page-'));
  browser = await launchBrowser();
  await operator.addSite({ name: SITE, country: 'FR', linkDownBytes: 41.25e6, linkUpBytes: 5e6, priceFactor: 0.8 });
});
afterAll(async () => {
  await operator.changeSite(SITE, { status: 'removed' }).catch(() => undefined);
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

const siteOf = (page: Page) => page.getByRole('listitem', { name: `Site ${SITE}` });

describe('the page of sites', () => {
  it('shows a studio where the farm is, and nothing to press', async () => {
    const page = await openPage(key, '/');
    await page.getByRole('link', { name: 'Sites' }).click();
    await siteOf(page).waitFor();
    const text = (await siteOf(page).innerText()).replace(/\s+/g, ' ');
    for (const said of ['Online', 'France (FR)', '0 of 0', '330 Mbit/s', '40 Mbit/s', 'tariff × 0.8']) {
      expect(text).toContain(said);
    }
    // What all studios store together is for operators.
    expect(text).not.toContain('Stored');
    const local = page.getByRole('listitem', { name: 'Site local' });
    expect((await local.innerText()).replace(/\s+/g, ' ')).toMatch(/Nodes online \d+ of \d+/);
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
    await page.context().close();
  });

  it('lets an operator drain and resume by keyboard, after a question, and tells the others at once', async () => {
    const looker = await openPage(key, '/sites');
    await siteOf(looker).waitFor();
    await looker.getByText('Live', { exact: true }).waitFor();
    const page = await openPage(operatorKey, '/sites');
    await siteOf(page).getByText('0 B', { exact: true }).waitFor();
    await siteOf(page).getByRole('button', { name: 'Drain' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: `Drain ${SITE}?` }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await operator.sites()).find(({ name }) => name === SITE)?.status).toBe('online');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Yes, drain' }).click();
    await siteOf(page).getByText('Draining').waitFor();
    await siteOf(looker).getByText('Draining').waitFor();
    await siteOf(page).getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Yes, resume' }).click();
    await siteOf(looker).getByText('Online', { exact: true }).waitFor();
    await page.context().close();
    await looker.context().close();
  });

  it('shows on a job where its frames went, what was expected, what it took, and what has been delivered', async () => {
    const scene = await writeCube(join(folder, 'placed.glb'), { variant: 'placed' });
    const accepted = await submitScene(client, scene, {
      ...{ frames: '1-4', width: 160, height: 90, samples: 16, awaitDelivery: true },
    });
    const page = await openPage(key, `/jobs/${accepted.id}`);
    await pullJob(client, accepted.id, { folder: join(folder, 'frames'), wait: true });
    const job = await untilFinal(client, accepted.id);
    expect(job.placement.actual).toEqual([expect.objectContaining({ name: 'local', frames: 4 })]);
    const placement = page.getByRole('region', { name: 'Placement' });
    await placement.getByText(/4 frames, .* to /).waitFor();
    const text = (await placement.innerText()).replace(/\s+/g, ' ');
    expect(text).toMatch(/expected .* s, took .* s/);
    expect(text).toContain('local');
    expect(text).toContain(`${SITE} takes no part`);
    const delivery = page.getByRole('region', { name: 'Delivery' });
    await delivery.getByText('4 of 4').waitFor();
    await delivery.getByText('All acknowledged, hash by hash.').waitFor();
    await page.context().close();
  });

  it("asks nothing for an operator's key that is a studio's: no job, no stream that is refused, and nodes are followed", async () => {
    const page = await openPage(operatorKey, '/');
    const refused: string[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.url());
    });
    const main = page.getByRole('main');
    for (const path of ['/', '/submit', '/jobs/some-job']) {
      await page.goto(`${url}${path}`);
      await main.getByText('This key belongs to no studio').waitFor();
      expect(await page.locator('.live-sign').count()).toBe(0);
    }
    expect(await page.getByRole('navigation', { name: 'Places' }).getByText('New job').count()).toBe(0);
    await main.getByRole('link', { name: 'Nodes' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(refused).toEqual([]);
    await page.context().close();
  });

  it('removes a site after a question that says what that means', async () => {
    const page = await openPage(operatorKey, '/sites');
    await siteOf(page).getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog', { name: `Remove ${SITE}?` });
    expect(await dialog.innerText()).toContain('can be registered again');
    await dialog.getByRole('button', { name: 'Yes, remove' }).click();
    await siteOf(page).waitFor({ state: 'detached' });
    expect((await operator.sites()).map(({ name }) => name)).not.toContain(SITE);
    await page.context().close();
  });

  it('logs no errors of its own', () => {
    expect(complaints).toEqual([]);
  });
});
