/** The farm itself: sites, nodes, prices, contracts, studios and their keys. Columns as `ports/db/tables.ts` says. */
import type { Generated } from 'kysely';
import type { NodeStatus, Role } from '../../../domain/statuses.ts';
import type { NodeLabels } from '../documents.ts';
import type { GeneratedTime, JsonDefault } from './columns.ts';

export interface SitesTable {
  id: Generated<string>;
  name: string;
  createdAt: GeneratedTime;
  kind: Generated<'home' | 'edge'>;
  status: Generated<SiteStatus>;
  /** What the operator wants; `status` is that again once a lost site answers. */
  wanted: Generated<'online' | 'draining'>;
  /** Since when its store has not answered the farm; null: it answers. */
  storeSilentSince: Generated<Date | null>;
  country: string | null;
  /** Payload of the link, bytes a second: towards the site and away from it. */
  linkDownBytes: number | null;
  linkUpBytes: number | null;
  priceFactorE6: Generated<number>;
  lastSeenAt: Date | null;
}

export type SiteStatus = 'online' | 'draining' | 'lost' | 'removed';

export interface SiteStoresTable {
  siteId: string;
  /** For the farm and the studios. */
  endpoint: string;
  /** For the site's own nodes. */
  nearEndpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  agentUrl: string | null;
  agentToken: string | null;
  updatedAt: GeneratedTime;
}

export interface ObjectCopiesTable {
  studioId: string;
  kind: 'blobs' | 'frames';
  hash: string;
  siteId: string;
  madeAt: GeneratedTime;
}

export interface NodesTable {
  id: Generated<string>;
  siteId: string;
  name: string;
  account: string;
  tokenHash: string;
  status: Generated<NodeStatus>;
  engine: string;
  engineBuild: string;
  tier: 'cpu' | 'gpu';
  device: string;
  threads: number;
  memoryBytes: number;
  score: number;
  labels: JsonDefault<NodeLabels>;
  joinedAt: GeneratedTime;
  lastSeenAt: GeneratedTime;
}

export interface TariffsTable {
  id: Generated<string>;
  currency: string;
  pricePerFbh: bigint;
  centsPerTokenE6: number;
  taxBasisPoints: Generated<number>;
  validFrom: GeneratedTime;
}

export interface DeploymentsTable {
  chainId: number;
  escrow: string;
  settlement: string;
  token: string;
  tokenSymbol: string;
  tokenDecimals: number;
  blockNumber: number;
  deployedAt: GeneratedTime;
}

export interface StudiosTable {
  id: Generated<string>;
  slug: string;
  name: string;
  currency: string;
  billing: JsonDefault<Record<string, unknown>>;
  account: string;
  sessionAccount: string;
  keyIndex: number | null;
  createdAt: GeneratedTime;
}

export interface ApiKeysTable {
  id: Generated<string>;
  studioId: string | null;
  role: Role;
  label: string;
  keyHash: string;
  createdAt: GeneratedTime;
  revokedAt: Date | null;
}
