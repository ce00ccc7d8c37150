/** One supervisor a home: a file names the one that holds it. A holder that died does not block anybody. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessRecord, startTimeOf } from './process-table.js';

const fileOf = (home: string) => join(home, 'supervisor.json');

/** Takes the home for this process. @returns false when a living supervisor holds it. */
export function takeHome(home: string): boolean {
  mkdirSync(home, { recursive: true });
  const own: ProcessRecord = { pid: process.pid, startTime: startTimeOf(process.pid) };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(fileOf(home), JSON.stringify(own), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (holderOf(home)) return false;
    rmSync(fileOf(home), { force: true });
  }
  return false;
}

export function releaseHome(home: string): void {
  rmSync(fileOf(home), { force: true });
}

/** The living supervisor of a home. */
export function holderOf(home: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(fileOf(home), 'utf8')) as ProcessRecord;
    return isRunning(record) ? record : undefined;
  } catch {
    return undefined;
  }
}
