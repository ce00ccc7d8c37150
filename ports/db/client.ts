/**
 * The way to the record. Every piece of work is one short transaction, either of a studio (role `farm_app`, row-level
 * security shows that studio only) or of the farm itself (role `farm_service`).
 *
 * Locks are taken in one order, so that transactions wait for each other and never in a circle:
 * **chunk → job → unit → the rest.** Who needs a chunk locks it before anything writes an event (which locks the job).
 */
import { CamelCasePlugin, CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { FarmError } from '../../domain/errors.ts';
import { listenOn } from './listen.ts';
import { createStatementNames } from './preparedStatements.ts';
import { isRecorded } from './recorded.ts';
import type { FarmTables } from './tables.ts';

/** A transaction on the record. */
export type Tx = Transaction<FarmTables>;
/** What reads, or is one statement: in a transaction, or by itself (`Database.singly`). */
export type Statements = Kysely<FarmTables>;

export interface DatabaseOptions {
  /** Connection URL of role `farm_app`. */
  appUrl: string;
  /** Connection URL of role `farm_service`; a process that only serves one studio's requests may leave it out. */
  serviceUrl?: string | undefined;
  /** Connections for each role; default 10. */
  max?: number | undefined;
}

export interface Database {
  /**
   * One transaction as `farm_app` that sees this studio's rows and no others.
   * `work` may run again after a deadlock or serialisation failure, so it only touches `tx`.
   */
  withStudio<T>(studioId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** One transaction as `farm_service`, which sees all studios: every query names its studio itself. Same rule as above. */
  asService<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * As `farm_service`, each statement a transaction of its own: what only reads, or writes with its one statement, needs no
   * other around it (at READ COMMITTED each statement sees its own moment in either case). Same rules as above.
   */
  singly<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** Calls back for every NOTIFY on a channel of `CHANNELS`, over a connection of its own that reconnects. Ends by the answer. */
  listen(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** `feature_not_supported`: a prepared statement whose columns a migration has changed. */
const CHANGED_ANSWER = '0A000';
/** Deadlock, serialisation failure, and that: the transaction did nothing and may simply be run again. */
const RETRYABLE = new Set(['40P01', '40001', CHANGED_ANSWER]);
const TRIES = 4;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const INT8 = 20;
const NUMERIC = 1700;

/** Money is bigint; all 64-bit integers of the schema (sizes, numbers, blocks, cents) stay far below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === NUMERIC) return (text) => (text.includes('.') ? Number(text) : BigInt(text));
  if (oid === INT8) {
    return (text) => {
      const value = Number(text);
      if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is no safe integer`);
      return value;
    };
  }
  return pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown;
}

function openPool(connectionString: string, max: number): pg.Pool {
  const nameOf = createStatementNames();
  class PreparingClient extends pg.Client {
    /** Rises when a migration has changed what a statement answers: a prepared one is refused from then on. */
    #generation = 0;

    // biome-ignore lint/suspicious/noExplicitAny: the driver's own overloads; Kysely calls it with text and values.
    override query(first: any, second?: any, third?: any): any {
      const name = typeof first === 'string' && Array.isArray(second) && second.length > 0 ? nameOf(first) : undefined;
      if (name === undefined) return super.query(first, second, third);
      const prepared = { name: `${name}_${this.#generation}`, text: first, values: second };
      const answer: unknown = super.query(prepared, third);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: { code?: unknown }) => {
        if (error.code === CHANGED_ANSWER) this.#generation += 1;
        throw error;
      });
    }
  }
  const pool = new pg.Pool({
    Client: PreparingClient,
    connectionString,
    max,
    options: '-c search_path=farm -c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000',
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
    connectionTimeoutMillis: 15_000,
    application_name: 'framewright',
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  // So would one that dies between two statements of a transaction; its next statement fails and says why.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Runs work again after what is `RETRYABLE`. */
async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (attempt < TRIES && typeof code === 'string' && RETRYABLE.has(code)) continue;
      throw error;
    }
  }
}

/** @param begin opens the transaction: one message, without parameters */
function inTransaction<T>(kysely: Kysely<FarmTables>, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return retrying(() =>
    kysely.connection().execute(async (connection) => {
      const run = (text: string) => connection.executeQuery(CompiledQuery.raw(text));
      await run(begin);
      let result: T;
      try {
        // Everything that goes over this connection is in the transaction now.
        result = await work(connection as Tx);
      } catch (error) {
        // A refusal that must stay on record: commit what was written, then throw.
        await run(isRecorded(error) ? 'COMMIT' : 'ROLLBACK');
        throw error;
      }
      await run('COMMIT');
      return result;
    }),
  );
}

/** Opens the record. Connections are made when first needed. */
export function createDatabase({ appUrl, serviceUrl, max = 10 }: DatabaseOptions): Database {
  const open = (url: string): Kysely<FarmTables> =>
    new Kysely<FarmTables>({
      dialect: new PostgresDialect({ pool: openPool(url, max) }),
      plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
    });
  const app = open(appUrl);
  const service = serviceUrl ? open(serviceUrl) : null;
  const listeners = new Set<() => Promise<void>>();
  const requireService = (): Kysely<FarmTables> => {
    if (service) return service;
    throw new FarmError('Internal', 'This process has no access to the record as the farm itself.');
  };
  return {
    async withStudio(studioId, work) {
      if (!UUID.test(studioId)) throw new FarmError('NotFound', 'No such studio.', {});
      // The id is a UUID, so that it may stand in the text: one message opens the transaction and says whose it is.
      return inTransaction(app, `BEGIN; SET LOCAL farm.studio_id = '${studioId}'`, work);
    },
    async asService(work) {
      return inTransaction(requireService(), 'BEGIN', work);
    },
    async singly(work) {
      const statements = requireService();
      return retrying(() => work(statements));
    },
    async listen(channel, callback) {
      const stop = await listenOn(serviceUrl ?? appUrl, channel, callback);
      const end = async () => {
        listeners.delete(end);
        await stop();
      };
      listeners.add(end);
      return end;
    },
    async close() {
      await Promise.all([...listeners].map((end) => end()));
      await Promise.all([app.destroy(), service?.destroy()]);
    },
  };
}
