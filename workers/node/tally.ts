/**
 * A node's own account of what it delivered: one line a unit, written before the unit is reported, so that no crash makes
 * the farm know of work that the node does not. Receipts are checked against it before they are signed.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What was signed last for a job; later receipts may only grow. */
export interface SignedState {
  sequence: number;
  cumulative: bigint;
  chainId: number;
  settlement: string;
}

export class Tally {
  private readonly folder: string;

  /** @param folder is made when needed */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** Keeps `unitId` with its price (base units) as delivered. */
  async record(jobId: string, unitId: string, price: bigint): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await appendFile(this.unitsPath(jobId), `${JSON.stringify({ unitId, price: String(price) })}\n`);
  }

  /** Price by unit of all that was delivered for a job. A line that a crash cut short is left out. */
  async units(jobId: string): Promise<Map<string, bigint>> {
    const units = new Map<string, bigint>();
    for (const line of (await readIfThere(this.unitsPath(jobId))).split('\n')) {
      try {
        const { unitId, price } = JSON.parse(line) as { unitId: string; price: string };
        units.set(unitId, BigInt(price));
      } catch {
        // Empty or cut line.
      }
    }
    return units;
  }

  async signed(jobId: string): Promise<SignedState | null> {
    const text = await readIfThere(this.signedPath(jobId));
    if (text === '') return null;
    const state = JSON.parse(text) as Omit<SignedState, 'cumulative'> & { cumulative: string };
    return { ...state, cumulative: BigInt(state.cumulative) };
  }

  async recordSigned(jobId: string, state: SignedState): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const path = this.signedPath(jobId);
    await writeFile(`${path}.new`, JSON.stringify({ ...state, cumulative: String(state.cumulative) }));
    await rename(`${path}.new`, path);
  }

  /** Forgets jobs that nothing happened to since `before`. */
  async prune(before: Date): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      const path = join(this.folder, name);
      if ((await stat(path)).mtime < before) await rm(path, { force: true });
    }
  }

  private unitsPath(jobId: string): string {
    return join(this.folder, `${jobId}.units.jsonl`);
  }

  private signedPath(jobId: string): string {
    return join(this.folder, `${jobId}.signed.json`);
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
