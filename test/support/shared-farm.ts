/** One farm for all end-to-end tests that do not break it (vitest's global set-up). */
import type { TestProject } from 'vitest/node';
import { startTestFarm, type TestFarm } from './farm.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    farm: { home: string; url: string; key: string };
  }
}

let farm: TestFarm | undefined;

export async function setup(project: TestProject): Promise<void> {
  farm = await startTestFarm();
  project.provide('farm', { home: farm.home, url: farm.url, key: farm.key });
}

export async function teardown(): Promise<void> {
  await farm?.stop();
}
