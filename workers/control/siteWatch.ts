/** Looks whether the stores of sites answer: a site whose store does not is lost until it does. */
import type { Logger } from 'pino';
import type { Database } from '../../ports/db/client.ts';
import {
  loseSite,
  noteStore,
  regainSite,
  takeBackUnverified,
  unverifiedAt,
  type WatchedSite,
  watchedSites,
} from '../../ports/db/lostSites.ts';
import { inTime } from '../../ports/store/inTime.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';

/** A store behind a full link answers slowly; one that takes longer than this does not answer. */
const PATIENCE_MS = 10_000;
/**
 * How long a store is silent before its site is lost though nodes of it are online: their link may be full of frames. Less than
 * a node waits for its store (`workers/node/storePatience.ts`), so that what it gives back goes elsewhere.
 */
const SILENCE_MS = 60_000;

export interface SiteWatchOptions {
  database: Database;
  stores: SiteStores;
  log: Logger;
  /** Another limit than `SILENCE_MS`. */
  silenceMs?: number | undefined;
}

/** One round. Nodes that fell silent have been marked before. */
export async function watchSites(options: SiteWatchOptions): Promise<void> {
  const sites = await options.database.asService((tx) => watchedSites(tx));
  await Promise.all(sites.map((site) => watch(site, options)));
}

async function watch(site: WatchedSite, { database, stores, log, silenceMs = SILENCE_MS }: SiteWatchOptions) {
  const answers = await storeAnswers(stores, site.id);
  if (answers !== (site.silentMs === null)) await database.asService((tx) => noteStore(tx, site.id, answers));
  if (answers) {
    if (site.status !== 'lost') return;
    await database.asService((tx) => regainSite(tx, site.id));
    log.info({ site: site.name }, 'a lost site answers again');
    return;
  }
  if (site.status !== 'lost') {
    if (site.nodesOnline > 0 && (site.silentMs ?? 0) < silenceMs) return;
    const jobs = await database.asService((tx) => loseSite(tx, site));
    log.warn({ site: site.name, nodesOnline: site.nodesOnline, jobs }, 'a site is lost: its store does not answer');
  }
  // In each round: what was under way when the site was lost may have been reported since.
  for (const chunkId of await database.asService((tx) => unverifiedAt(tx, site.id))) {
    await database.asService((tx) => takeBackUnverified(tx, site, chunkId));
  }
}

async function storeAnswers(stores: SiteStores, siteId: string): Promise<boolean> {
  const { store } = await stores.of(siteId);
  return inTime(store.check(), PATIENCE_MS, 'The store does not answer.').then(
    () => true,
    () => false,
  );
}
