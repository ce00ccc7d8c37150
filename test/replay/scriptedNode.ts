/** A node that renders nothing: it takes chunks as the gateway lets it, and delivers small real pictures. */
import sharp from 'sharp';
import type { RenderSettings } from '../../domain/scene.ts';
import { type ClaimedLease, claimChunk } from '../../ports/db/claim.ts';
import type { UnitArtifact } from '../../ports/db/documents.ts';
import { finishLease, heartbeat, type LeaseKey, reportUnit } from '../../ports/db/lease.ts';
import { joinNode } from '../../ports/db/nodes.ts';
import type { NodeRow } from '../../ports/db/tables.ts';
import { encodeExr } from '../../renderer/image/exr/write.ts';
import { accountOf, hashOf } from '../support/rows.ts';
import type { InProcessFarm } from './inProcessFarm.ts';

/** What the node does with a unit. */
export type Deed =
  | 'deliver'
  /** A picture with a NaN in it. */
  | 'nan'
  /** The whole chunk fails with `RenderFailed`. */
  | 'fail'
  /** The chunk fails because of the scene. */
  | 'blame-scene'
  /** Falls silent: no heartbeat, nothing delivered, does not come back to this chunk. */
  | 'vanish';

export interface ScriptedNodeOptions {
  /** How long a unit takes, milliseconds. */
  unitMs?: number;
  leaseMs?: number;
  /** Default: delivers everything. */
  script?: (frame: number, lease: ClaimedLease) => Deed;
}

const POLL_MS = 30;
const LAYERS = ['R', 'G', 'B', 'A', 'albedo.R', 'albedo.G', 'albedo.B', 'normal.X', 'normal.Y', 'normal.Z', 'depth.Z'];

export class ScriptedNode {
  readonly name: string;
  /** Frames that it delivered, in order. */
  readonly delivered: number[] = [];
  readonly #farm: InProcessFarm;
  readonly #options: Required<ScriptedNodeOptions>;
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(farm: InProcessFarm, name: string, options: ScriptedNodeOptions = {}) {
    this.#farm = farm;
    this.name = name;
    this.#options = { unitMs: 0, leaseMs: 3000, script: () => 'deliver', ...options };
  }

  /** Joins and begins to ask for work. */
  async start(): Promise<this> {
    const { nodeId } = await this.#farm.record.database.asService((tx) =>
      joinNode(tx, {
        ...{ name: this.name, site: 'local', account: accountOf(this.name), tokenHash: hashOf(this.name), labels: {} },
        ...{ engine: 'pathtracer', engineBuild: 'scripted', tier: 'cpu', device: 'test', threads: 1 },
        ...{ memoryBytes: 2 ** 30, score: 1 },
      }),
    );
    this.#loop = this.#run(nodeId);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(nodeId: string): Promise<void> {
    const { database } = this.#farm.record;
    while (!this.#stopped) {
      const node: NodeRow = await database.asService((tx) =>
        tx.selectFrom('nodes').selectAll().where('id', '=', nodeId).executeTakeFirstOrThrow(),
      );
      const { leaseMs } = this.#options;
      const lease = await database.asService((tx) => claimChunk(tx, { node, cachedHashes: [], leaseMs }));
      if (lease === null || 'budget' in lease) await pause(POLL_MS);
      else await this.#work(nodeId, lease);
    }
  }

  async #work(nodeId: string, lease: ClaimedLease): Promise<void> {
    const { database } = this.#farm.record;
    const key: LeaseKey = { chunkId: lease.chunkId, nodeId, leaseNumber: lease.leaseNumber };
    if (lease.kind === 'estimate') {
      const estimate = { secondsPerFrame: 1, referenceScore: 1, tracedShare: 0.01 };
      await database.asService((tx) => finishLease(tx, { ...key, outcome: 'completed', estimate }));
      return;
    }
    try {
      for (const { unitId, frame } of lease.units) {
        const deed = this.#options.script(frame, lease);
        if (deed === 'vanish') return;
        if (deed === 'fail' || deed === 'blame-scene') {
          const code = deed === 'fail' ? 'RenderFailed' : 'SceneInvalid';
          const problem = { code, message: `frame ${frame} cannot be rendered`, place: { frame } };
          await database.asService((tx) => finishLease(tx, { ...key, outcome: 'failed', problem }));
          return;
        }
        await pause(this.#options.unitMs);
        const answer = await database.asService((tx) => heartbeat(tx, { ...key, leaseMs: this.#options.leaseMs }));
        if (!answer.continue || this.#stopped) {
          await database.asService((tx) => finishLease(tx, { ...key, outcome: 'handed-back' }));
          return;
        }
        const settings = lease.settings as RenderSettings;
        const artifacts = await this.#picture(lease, frame, settings, deed === 'nan');
        const { width, height } = settings;
        const measurements = { renderSeconds: 0.01, samples: 4, rays: 8, width, height, channels: LAYERS };
        await database.asService((tx) => reportUnit(tx, { ...key, unitId, artifacts, measurements }));
        this.delivered.push(frame);
      }
      await database.asService((tx) => finishLease(tx, { ...key, outcome: 'completed' }));
    } catch (error) {
      // The lease is over: the job was stopped, or somebody took the chunk back.
      if ((error as { code?: string }).code !== 'LeaseLost') throw error;
    }
  }

  /** A picture that differs with its frame. */
  async #picture(
    { studioId }: ClaimedLease,
    frame: number,
    { width, height }: RenderSettings,
    nan: boolean,
  ): Promise<UnitArtifact[]> {
    const channels = LAYERS.map((name, layer) => ({
      ...{ name, type: 'half' as const, stride: 1, offset: 0 },
      data: Float32Array.from({ length: width * height }, (_, pixel) =>
        nan && pixel === 0 ? Number.NaN : (frame + layer + pixel) / 1000,
      ),
    }));
    const exr = await encodeExr({ width, height, channels, compression: 'zip' });
    const background = { r: (frame * 40) % 256, g: 90, b: 120 };
    const preview = await sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toBuffer();
    const { store } = this.#farm.services;
    const [storedExr, storedPreview] = await Promise.all([
      store.put(studioId, 'frames', exr, 'image/x-exr'),
      store.put(studioId, 'frames', preview, 'image/png'),
    ]);
    return [
      { kind: 'exr', ...storedExr },
      { kind: 'preview', ...storedPreview },
    ];
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
