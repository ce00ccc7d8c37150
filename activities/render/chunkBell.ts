/**
 * Wakes the keepers of chunks in this process when something happened to their chunk. One connection listens and one query
 * a second looks for what no notification tells (a lease ran out), however many chunks are kept.
 */
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../../ports/db/client.ts';
import { CHANNELS } from '../../ports/db/events.ts';

const SWEEP_MS = 1000;
/** Every so many sweeps look for all that a keeper would do something about, in case that a notification was lost. */
const SWEEPS_A_LOOK = 15;

export class ChunkBell {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #waiting = new Map<string, Set<() => void>>();
  #stopListening: (() => Promise<void>) | null = null;
  #sweeping: NodeJS.Timeout | null = null;
  #sweeps = 0;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  /** Starts to listen; throws when the database does not answer. */
  async start(): Promise<void> {
    this.#stopListening = await this.#database.listen(CHANNELS.chunk, (chunkId) => this.ring(chunkId));
    const sweep = async () => {
      await this.#sweep().catch((error: unknown) => this.#log.warn({ err: error }, 'looking for lost leases failed'));
      if (this.#sweeping) this.#sweeping = setTimeout(sweep, SWEEP_MS);
    };
    this.#sweeping = setTimeout(sweep, SWEEP_MS);
  }

  async stop(): Promise<void> {
    if (this.#sweeping) clearTimeout(this.#sweeping);
    this.#sweeping = null;
    await this.#stopListening?.();
  }

  /**
   * Begins to wait. Call it *before* looking at the chunk, so that nothing that happens in between is missed;
   * `next` resolves at the first ring since then.
   */
  watch(chunkId: string): { next: (signal: AbortSignal) => Promise<void>; end: () => void } {
    let ring = () => {};
    const rung = new Promise<void>((resolve) => {
      ring = resolve;
    });
    const waiting = this.#waiting.get(chunkId) ?? new Set();
    this.#waiting.set(chunkId, waiting.add(ring));
    const end = () => {
      waiting.delete(ring);
      if (waiting.size === 0 && this.#waiting.get(chunkId) === waiting) this.#waiting.delete(chunkId);
    };
    const next = async (signal: AbortSignal) => {
      signal.addEventListener('abort', ring);
      if (signal.aborted) ring();
      await rung;
      signal.removeEventListener('abort', ring);
    };
    return { next, end };
  }

  /** Wakes the keeper of a chunk. Empty stands for all chunks: the connection was lost for a while. */
  ring(chunkId: string): void {
    const sets = chunkId === '' ? [...this.#waiting.values()] : [this.#waiting.get(chunkId) ?? []];
    for (const set of sets) for (const ring of set) ring();
  }

  /** Leases that ran out, and chunks of jobs that were paused or stopped; now and then, all where something is due. */
  async #sweep(): Promise<void> {
    const ids = [...this.#waiting.keys()];
    this.#sweeps += 1;
    if (ids.length === 0) return;
    const all = this.#sweeps % SWEEPS_A_LOOK === 0;
    const { rows } = await this.#database.singly((statements) =>
      sql<{ id: string }>`
        SELECT c.id FROM chunks c JOIN jobs j ON j.studio_id = c.studio_id AND j.id = c.job_id
        WHERE c.id = ANY(${ids}::uuid[]) AND (
          (c.status = 'leased' AND c.lease_ends_at <= clock_timestamp())
          OR j.status NOT IN ('preparing', 'active', 'paused')
          OR (j.status = 'paused' AND j.pause_reason = 'user' AND c.status <> 'leased')
          OR (${all} AND (c.status NOT IN ('offered', 'leased') OR EXISTS (
            SELECT FROM units u WHERE u.chunk_id = c.id AND u.status IN ('uploaded', 'verified')))))`.execute(
        statements,
      ),
    );
    for (const { id } of rows) this.ring(id);
  }
}
