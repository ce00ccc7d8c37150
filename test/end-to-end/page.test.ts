/** The page in a real browser: submit by drop, watch, pause, cancel, film, invoice. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { writeCube } from '../support/scenes.ts';
import { spoilBlob } from '../support/storedBlobs.ts';

const { home, url, key } = inject('farm');
let folder: string;
let browser: Browser;
let page: Page;
/** What the page complained about; nothing, at the end. */
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-page-'));
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Half a second a frame. */
const SMALL = { Width: '320', Height: '180', Samples: '32' };

/** Drops a file onto the page as a person would, and asks for a quote. */
async function dropAndQuote(name: string, settings: Record<string, string>): Promise<void> {
  const bytes = await readFile(await writeCube(join(folder, `${name}.glb`), { variant: name }));
  await page.goto(`${url}/submit`);
  const transfer = await page.evaluateHandle(
    ({ base64, fileName }) => {
      const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([raw], fileName, { type: 'model/gltf-binary' }));
      return data;
    },
    { base64: bytes.toString('base64'), fileName: `${name}.glb` },
  );
  const zone = page.getByRole('region', { name: 'Scene files' });
  await zone.dispatchEvent('dragover', { dataTransfer: transfer });
  await zone.dispatchEvent('drop', { dataTransfer: transfer });
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole('button', { name: 'Get a quote' }).click();
}

const accept = async (): Promise<void> => {
  await page.getByRole('button', { name: 'Accept quote' }).click({ timeout: 60_000 });
  await page.getByRole('region', { name: 'Frames' }).waitFor();
};
const status = () => page.locator('.job-title [role=status]');
/** Committed frames as the legend under the strip counts them. */
async function committed(): Promise<number> {
  const text = (await page.getByRole('list', { name: 'Frames by status' }).innerText()).replace(/\s+/g, ' ');
  return Number(/(\d+) (?:committed|done)|(?:committed|done) (\d+)/i.exec(text)?.slice(1).find(Boolean) ?? 0);
}

describe('the page', () => {
  it('signs in by the address that the farm prints and keeps the key out of the address', async () => {
    await page.goto(`${url}/#key=${key}`);
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
    expect(page.url()).not.toContain(key);
  });

  it('takes a dropped file, shows its quote, and fills frames in without a reload', async () => {
    await dropAndQuote('dropped', { Frames: '1-8', ...SMALL });
    await accept();
    // A marker that a reload would lose.
    await page.evaluate(() => Object.assign(window, { stillHere: true }));
    await expect.poll(committed, { timeout: 90_000 }).toBeGreaterThan(0);
    await expect.poll(() => status().innerText(), { timeout: 120_000 }).toMatch(/completed|done/i);
    expect(await committed()).toBe(8);
    await page
      .getByRole('img', { name: /Frame 8/ })
      .first()
      .waitFor();
    expect(await page.evaluate(() => Reflect.get(window, 'stillHere'))).toBe(true);
  });

  it('plays the film', async () => {
    const film = page.locator('video');
    await film.waitFor({ timeout: 30_000 });
    await expect
      .poll(() => film.evaluate((video: HTMLVideoElement) => video.currentTime), { timeout: 20_000 })
      .toBeGreaterThan(0);
    const size = await film.evaluate((video: HTMLVideoElement) => [video.videoWidth, video.videoHeight]);
    expect(size[0]).toBeGreaterThan(0);
  });

  it('shows the invoice as verified', async () => {
    await page.getByRole('link', { name: 'Invoice' }).click();
    await page.getByRole('region', { name: 'Invoice' }).waitFor();
    await page.getByRole('button', { name: /verify/i }).click();
    await page.getByText('Verified', { exact: true }).waitFor({ timeout: 60_000 });
  });

  it('pauses, resumes and cancels', async () => {
    await dropAndQuote('controlled', { Frames: '1-40', ...SMALL });
    await accept();
    await expect.poll(committed, { timeout: 90_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(() => status().innerText(), { timeout: 20_000 }).toMatch(/paused/i);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => status().innerText(), { timeout: 20_000 }).toMatch(/active|rendering/i);
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('button', { name: 'Yes, cancel' }).click();
    await expect.poll(() => status().innerText(), { timeout: 60_000 }).toMatch(/cancelled/i);
  });

  it('sends by itself what the store cannot read any more', async () => {
    await spoilBlob(home, await readFile(join(folder, 'dropped.glb')));
    await dropAndQuote('dropped', { Frames: '1', ...SMALL, Samples: '33' });
    await page.getByRole('button', { name: 'Accept quote' }).waitFor({ timeout: 60_000 });
  });

  it('shows one clear error for a file that is no scene', async () => {
    await page.goto(`${url}/submit`);
    await page.getByLabel('Scene files to upload').setInputFiles({
      name: 'broken.glb',
      mimeType: 'model/gltf-binary',
      buffer: Buffer.from('glTF this is not'),
    });
    await page.getByRole('button', { name: 'Get a quote' }).click();
    const alert = page.getByRole('alert').first();
    await alert.waitFor({ timeout: 30_000 });
    expect(await alert.innerText()).toContain('SceneInvalid');
  });

  it('logs no errors of its own', () => {
    expect(complaints.filter((text) => !/status of (404|409|422)/.test(text))).toEqual([]);
  });
});
