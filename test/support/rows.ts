/** Rows for tests of the record: studios, nodes and jobs made by the same functions that the farm uses. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { jobFree, move, WALLET } from '../../domain/money/accounts.ts';
import { DEFAULT_RENDER_SETTINGS, type SceneInspection } from '../../domain/scene.ts';
import { insertPlan } from '../../ports/db/chunks.ts';
import { type ClaimedLease, claimChunk } from '../../ports/db/claim.ts';
import { createDatabase, type Database } from '../../ports/db/client.ts';
import type { HostRequirements, NodeLabels, StoredFile, UnitArtifact } from '../../ports/db/documents.ts';
import { acceptQuote, createSubmission, setPreparing, setQuoted } from '../../ports/db/jobs.ts';
import { reportUnit } from '../../ports/db/lease.ts';
import { post } from '../../ports/db/ledger.ts';
import { joinNode } from '../../ports/db/nodes.ts';
import { offerFirst } from '../../ports/db/offerFirst.ts';
import { setSiteStore } from '../../ports/db/siteStores.ts';
import { createStudio } from '../../ports/db/studios.ts';
import type { NodeRow } from '../../ports/db/tables.ts';
import { createTestDatabase, type TestBucket, type TestDatabase } from './services.ts';

export interface TestRecord {
  database: Database;
  urls: TestDatabase;
  /** A query as the superuser, who sees everything. */
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>;
  /** Rows of every table by name. */
  countRows(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** A fresh database, opened as the farm opens it. */
export async function openTestRecord({ max = 10 } = {}): Promise<TestRecord> {
  const urls = await createTestDatabase();
  const database = createDatabase({ appUrl: urls.app, serviceUrl: urls.service, max });
  const admin = new pg.Client({ connectionString: urls.admin, options: '-c search_path=farm' });
  await admin.connect();
  const query = async <T extends object>(text: string, values?: unknown[]) => (await admin.query<T>(text, values)).rows;
  return {
    database,
    urls,
    query,
    async countRows() {
      const tables = await query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'farm' AND table_type = 'BASE TABLE'`,
      );
      const rows: Record<string, number> = {};
      for (const { name } of tables) {
        const [counted] = await query<{ count: string }>(`SELECT count(*) FROM farm."${name}"`);
        rows[name] = Number(counted!.count);
      }
      return rows;
    },
    async close() {
      await database.close();
      await admin.end();
      await urls.drop();
    },
  };
}

/** SHA-256 of a word: a different hash for every name. */
export const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');
/** An account made from a word. */
export const accountOf = (name: string): string => `0x${hashOf(name).slice(0, 40)}`;

export const TOKEN = {
  chainId: 31_337,
  contract: accountOf('settlement'),
  token: accountOf('token'),
  tokenDecimals: 18,
};

export const addStudio = async (database: Database, slug: string): Promise<string> =>
  (
    await database.asService((tx) =>
      createStudio(tx, {
        slug,
        name: slug,
        currency: 'EUR',
        account: accountOf(slug),
        sessionAccount: accountOf(`${slug} session`),
      }),
    )
  ).id;

export type TestNode = Pick<NodeRow, 'id' | 'name' | 'status' | 'labels'>;

/** A site with a store of its own. @param near how its own nodes reach that @returns its id */
export function addStoreSite(
  database: Database,
  name: string,
  store: TestBucket,
  near = store.endpoint,
): Promise<string> {
  return database.asService(async (tx) => {
    const { id } = await tx.insertInto('sites').values({ name }).returning('id').executeTakeFirstOrThrow();
    await setSiteStore(tx, { ...store, siteId: id, nearEndpoint: near, agentUrl: null, agentToken: null });
    return id;
  });
}

export async function addNode(
  database: Database,
  name: string,
  labels: NodeLabels = {},
  site = 'local',
): Promise<TestNode> {
  const { nodeId } = await database.asService((tx) =>
    joinNode(tx, {
      ...{ name, site, account: accountOf(name), tokenHash: hashOf(`${name} token`), labels },
      ...{ engine: 'pathtracer', engineBuild: 'test', tier: 'cpu', device: 'test', threads: 2 },
      ...{ memoryBytes: 2 ** 32, score: 1 },
    }),
  );
  return database.asService((tx) =>
    tx.selectFrom('nodes').selectAll().where('id', '=', nodeId).executeTakeFirstOrThrow(),
  );
}

export const INSPECTION: SceneInspection = {
  formatVersion: 1,
  engine: 'pathtracer',
  generator: null,
  scenes: [],
  defaultScene: null,
  variants: [],
  extensions: [],
  cameras: [],
  animations: [],
  durationSeconds: 1,
  fps: 24,
  start: 1,
  ...{
    triangles: 12,
    instancedTriangles: 12,
    meshes: 1,
    materials: 1,
    nodes: 1,
    skins: 0,
    lights: 0,
    emissiveMeshes: 0,
  },
  hasEnvironment: false,
  textures: [],
  textureBytes: 0,
  bounds: [-1, -1, -1, 1, 1, 1],
  files: [],
  sequence: null,
  frameFiles: [],
  sceneCameras: [],
  warnings: [],
};

export interface JobOptions {
  studioId: string;
  name?: string;
  frames?: number;
  /** Frames in each chunk; default all in one. */
  chunkFrames?: number;
  unitPrice?: bigint;
  /** Default: enough for all. */
  cap?: bigint;
  priority?: number;
  needs?: HostRequirements;
  policy?: Record<string, unknown>;
  awaitDelivery?: boolean;
  files?: StoredFile[];
  /** Where each chunk is placed, by its index; default anywhere. */
  siteIds?: string[];
  /** Put every chunk on offer; default true. */
  offered?: boolean;
}

export const fileOf = (path: string): StoredFile => ({ path, sizeBytes: path.length, hash: hashOf(path) });

/** A submission, status `uploading`. */
export async function addSubmission(database: Database, options: JobOptions): Promise<string> {
  const { studioId, name = 'shot', policy = {}, priority = 3, files = [fileOf('scene.glb')] } = options;
  const { awaitDelivery } = options;
  return database.withStudio(studioId, (tx) =>
    createSubmission(tx, {
      ...{ studioId, name, policy, priority, token: TOKEN, settings: DEFAULT_RENDER_SETTINGS },
      submission: { formatVersion: 1, main: files[0]!.path, files, template: '{shot}.{frame:04}.{ext}', awaitDelivery },
    }),
  );
}

/** A job with its quote, status `quoted`. */
export async function addQuoted(database: Database, options: JobOptions): Promise<string> {
  const { studioId, frames = 1, unitPrice = 10n, files = [fileOf('scene.glb')] } = options;
  const jobId = await addSubmission(database, options);
  await database.asService(async (tx) => {
    await setPreparing(tx, jobId);
    await setQuoted(tx, {
      jobId,
      versionManifest: { formatVersion: 1, main: files[0]!.path, files },
      inspection: INSPECTION,
      settings: DEFAULT_RENDER_SETTINGS,
      frames: `1-${frames}`,
      frameCount: frames,
      quote: {
        total: unitPrice * BigInt(frames),
        unitPrice,
        suggestedCap: unitPrice * BigInt(frames),
        ...{ currency: 'EUR', centsPerTokenE6: 100_000_000, taxBasisPoints: 1900, pricePerFbh: 10n ** 18n },
        estimate: { secondsPerFrame: 1, referenceScore: 1, tracedShare: 0.1 },
        expiresAt: new Date(Date.now() + 3_600_000),
      },
    });
    void studioId;
  });
  return jobId;
}

export interface TestJob {
  studioId: string;
  jobId: string;
  chunkIds: string[];
}

/** A job that is being rendered: accepted, deposited, planned and (by default) on offer. */
export async function addJob(database: Database, options: JobOptions): Promise<TestJob> {
  const { studioId, frames = 1, chunkFrames = frames, unitPrice = 10n, needs, offered = true } = options;
  const cap = options.cap ?? unitPrice * BigInt(frames);
  const jobId = await addQuoted(database, options);
  await database.withStudio(studioId, (tx) => acceptQuote(tx, { jobId, cap }));
  const chunkIds = await database.asService(async (tx) => {
    const postings = move(WALLET, jobFree(jobId), cap);
    await post(tx, { studioId, jobId, kind: 'deposit', reference: `deposit:${jobId}`, postings });
    const chunks = Array.from({ length: Math.ceil(frames / chunkFrames) }, (_, index) => {
      const first = index * chunkFrames + 1;
      const length = Math.min(chunkFrames, frames - first + 1);
      return {
        index,
        frames: Array.from({ length }, (_, n) => first + n),
        estimateSeconds: 1,
        needs,
        siteId: options.siteIds?.[index],
      };
    });
    return insertPlan(tx, { jobId, layer: 'beauty', chunks, unitPrice });
  });
  if (offered) await database.asService((tx) => offerFirst(tx, { studioId, jobId }, chunkIds.length));
  return { studioId, jobId, chunkIds };
}

/** What a node is given when it asks now. */
export const claim = (database: Database, node: TestNode, leaseMs = 60_000, cachedHashes: string[] = []) =>
  database.asService((tx) => claimChunk(tx, { node, cachedHashes, leaseMs }));

/** The same, for a node that must get something. */
export async function mustClaim(database: Database, node: TestNode, leaseMs?: number): Promise<ClaimedLease> {
  const lease = await claim(database, node, leaseMs);
  if (lease === null || 'budget' in lease) throw new Error(`${node.name} got ${JSON.stringify(lease)}`);
  return lease;
}

/** A job of one chunk under lease by a node of its own name, so that tests do not take each other's chunks. */
export async function addLeased(
  database: Database,
  { studioId, name, frames = 1 }: { studioId: string; name: string; frames?: number },
) {
  const node = await addNode(database, name, { 'attr.test': [name] });
  const needs = { attributes: [{ name: 'attr.test', anyOf: [name] }] };
  const job = await addJob(database, { studioId, name, frames, needs });
  const lease = await mustClaim(database, node);
  return { ...job, node, lease, unitId: lease.units[0]!.unitId, chunkId: lease.chunkId };
}

export const artifactsOf = (unitId: string): UnitArtifact[] => [
  { kind: 'exr', hash: hashOf(`${unitId} exr`), sizeBytes: 1000 },
  { kind: 'preview', hash: hashOf(`${unitId} preview`), sizeBytes: 100 },
];

/** Delivers a unit of a lease as its node would. */
export const deliver = (
  database: Database,
  lease: Pick<ClaimedLease, 'chunkId' | 'leaseNumber'>,
  nodeId: string,
  unitId: string,
  artifacts = artifactsOf(unitId),
  siteId: string | null = null,
) =>
  database.asService((tx) =>
    reportUnit(tx, {
      ...{ chunkId: lease.chunkId, leaseNumber: lease.leaseNumber, nodeId, unitId, artifacts, siteId },
      measurements: { renderSeconds: 1, samples: 1, rays: 1, width: 1, height: 1, channels: ['R'] },
    }),
  );
