/** A headless browser from npm: no system package, no download. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Quiet on a closed network: nothing is looked up or updated in the background. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts the browser named in `FARM_TEST_CHROMIUM`, else the one that comes with the development packages. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await browserPath(), args: FLAGS });
}

async function browserPath(): Promise<string> {
  const given = process.env.FARM_TEST_CHROMIUM;
  if (given) return given;
  const bundled = (await import('@sparticuz/chromium')).default;
  const path = await bundled.executablePath();
  if (!existsSync(path)) throw new Error(`The browser did not unpack to ${path}.`);
  return path;
}
