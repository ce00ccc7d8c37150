/**
 * The object stores of all sites. Home is the farm's own; a site with a row in `site_stores` has one of its own, every
 * other site keeps its data at home.
 */
import type { Database } from '../db/client.ts';
import { siteStoreRow } from '../db/siteStores.ts';
import type { AgentAccess } from '../site/protocol.ts';
import { createMinioStore } from './minioStore.ts';
import type { ObjectStore } from './objectStore.ts';

/** One site's store. */
export interface SiteStore {
  /** Null: home. */
  siteId: string | null;
  /** For the farm's processes; what it presigns is for studios. */
  store: ObjectStore;
  /** The same store; what it presigns is for the site's own nodes, who may know it under another address. */
  near: ObjectStore;
  /** The agent beside the store, which verifies frames where they lie. */
  agent: AgentAccess | null;
}

export interface SiteStores {
  readonly home: ObjectStore;
  /** The store in which data of a site lies. Null, like a site without a store of its own, is home. */
  of(siteId: string | null): Promise<SiteStore>;
}

/** A changed address is noticed after this time, milliseconds. */
const KNOWN_FOR_MS = 5_000;

/** Reads a site's row when it is first needed, and again after some seconds; clients live as long as their row stays. */
export function createSiteStores(home: ObjectStore, database: Database): SiteStores {
  const atHome: SiteStore = { siteId: null, store: home, near: home, agent: null };
  const known = new Map<string, { readAt: number; version: string; site: SiteStore }>();
  return {
    home,
    async of(siteId) {
      if (siteId === null) return atHome;
      const before = known.get(siteId);
      if (before && performance.now() - before.readAt < KNOWN_FOR_MS) return before.site;
      const row = await database.singly((statements) => siteStoreRow(statements, siteId));
      const readAt = performance.now();
      const version = row ? row.updatedAt.toISOString() : '';
      if (before?.version === version) {
        before.readAt = readAt;
        return before.site;
      }
      const site = row ? open(siteId, row) : atHome;
      known.set(siteId, { readAt, version, site });
      return site;
    },
  };
}

function open(siteId: string, row: NonNullable<Awaited<ReturnType<typeof siteStoreRow>>>): SiteStore {
  const { endpoint, nearEndpoint, region, bucket, accessKey, secretKey, agentUrl, agentToken } = row;
  const options = { endpoint, region, bucket, accessKey, secretKey };
  return {
    siteId,
    store: createMinioStore(options),
    near: createMinioStore({ ...options, publicEndpoint: nearEndpoint }),
    agent: agentUrl && agentToken ? { url: agentUrl, token: agentToken } : null,
  };
}
