/** The farm of a benchmark: the real one, in the studio's namespace, with its sites registered and no node of its own. */
import { mkdirSync } from 'node:fs';
import { sql } from 'kysely';
import { FarmClient, type FarmClientOptions } from '../../../cli/sdk/client.ts';
import type { NodeStatus } from '../../../domain/statuses.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import { addStudio, down, up } from '../../../infra/stack/commands.ts';
import { peekState } from '../../../infra/stack/state.ts';
import { createDatabase } from '../../../ports/db/client.ts';
import { setSiteStore } from '../../../ports/db/siteStores.ts';
import { untilTrue } from './patience.ts';
import type { SiteAccess } from './siteProcesses.ts';

/** A client that can tell another process how to be one too. */
export class StudioClient extends FarmClient {
  readonly access: FarmClientOptions;

  constructor(access: FarmClientOptions) {
    super(access);
    this.access = access;
  }
}

export interface StudioFarm {
  gatewayUrl: string;
  joinToken: string;
  /** Opens a studio of its own, so that nothing of an earlier run is there; answers a client with its key. */
  openStudio(slug: string): Promise<StudioClient>;
  /** Makes a site known with its store, agent and link (payload, Mbit/s). */
  registerSite(name: string, access: SiteAccess, link: { upMbits: number; downMbits: number }): Promise<void>;
  /**
   * Waits until the farm counts on these sites: one whose store was away while another shape's programs took over is lost to it
   * until the next look, and gets no frames. @throws FarmError `ServiceFailed` when one stays lost for two minutes
   */
  untilSitesOnline(names: readonly string[]): Promise<void>;
  /** From now on these nodes get work and no others; what the others have under way they hand back. */
  giveWorkTo(nodes: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const API_PORT = 7400;
const STORE_PORT = 9000;

/** Starts it in `home`. @throws FarmError with the reason when it does not come up */
export async function startStudioFarm(lab: Lab, home: string): Promise<StudioFarm> {
  mkdirSync(home, { recursive: true });
  const { address } = lab.studio;
  const url = `http://${address}:${API_PORT}`;
  await up({
    home,
    nodes: 0,
    variables: {
      ...{ FARM_VOLATILE: '1', FARM_LOG_LEVEL: process.env.FARM_LOG_LEVEL ?? 'info' },
      ...{ FARM_API_HOST: '0.0.0.0', FARM_API_PORT: String(API_PORT), FARM_API_URL: url, FARM_GATEWAY_URL: url },
      ...{ FARM_S3_HOST: '0.0.0.0', FARM_S3_PORT: String(STORE_PORT) },
      FARM_S3_PUBLIC_ENDPOINT: `http://${address}:${STORE_PORT}`,
      // Runs are quoted beforehand, and those before them take their time.
      FARM_POLICY: JSON.stringify({ quoteSeconds: 86_400 }),
    },
  });
  const { credentials, ports } = peekState(home)!;
  const databaseUrl = (role: 'app' | 'service', password: string): string =>
    `postgres://farm_${role}:${encodeURIComponent(password)}@127.0.0.1:${ports.database}/farm`;
  const database = createDatabase({
    appUrl: databaseUrl('app', credentials.databaseApp),
    serviceUrl: databaseUrl('service', credentials.databaseService),
    max: 1,
  });
  return {
    gatewayUrl: url,
    joinToken: credentials.joinToken,
    async openStudio(slug) {
      const { key } = await addStudio({ slug, name: slug, currency: 'EUR' }, { home });
      return new StudioClient({ url, key });
    },
    async registerSite(name, access, { upMbits, downMbits }) {
      const { agentUrl, agentToken, endpoint, region, bucket, accessKey, secretKey } = access;
      await database.asService(async (tx) => {
        const values = {
          name,
          kind: 'edge' as const,
          linkDownBytes: downMbits * 125_000,
          linkUpBytes: upMbits * 125_000,
        };
        const { id: siteId } = await tx
          .insertInto('sites')
          .values(values)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
          .returning('id')
          .executeTakeFirstOrThrow();
        const store = { siteId, endpoint, nearEndpoint: endpoint, region, bucket, accessKey, secretKey };
        await setSiteStore(tx, { ...store, agentUrl, agentToken });
      });
    },
    async untilSitesOnline(names) {
      await untilTrue(
        async () => {
          const online = await database.asService((tx) =>
            tx.selectFrom('sites').select('name').where('name', 'in', names).where('status', '=', 'online').execute(),
          );
          return online.length === names.length;
        },
        `Not all of the sites ${names.join(', ')} came back`,
      );
    },
    async giveWorkTo(nodes) {
      await database.asService((tx) =>
        tx
          .updateTable('nodes')
          .set((update) => ({
            status: sql<NodeStatus>`CASE WHEN ${update.ref('name')} = ANY (${[...nodes]}::text[]) THEN 'online' ELSE 'draining' END`,
          }))
          .where('status', 'in', ['online', 'draining'])
          .execute(),
      );
    },
    async stop() {
      await database.close();
      await down({ home });
    },
  };
}
