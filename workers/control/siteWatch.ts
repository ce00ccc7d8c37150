/** Looks whether sites answer: one whose store and nodes do not is lost until one of them does. */
import type { Logger } from 'pino';
import type { Database } from '../../ports/db/client.ts';
import { loseSite, regainSite, watchedSites } from '../../ports/db/lostSites.ts';
import type { SiteStores } from '../../ports/store/siteStores.ts';

/** A store behind a full link answers slowly; one that takes longer than this does not answer. */
const PATIENCE_MS = 10_000;

export interface SiteWatchOptions {
  database: Database;
  stores: SiteStores;
  log: Logger;
}

/** One round. Nodes that fell silent have been marked before. */
export async function watchSites({ database, stores, log }: SiteWatchOptions): Promise<void> {
  const sites = await database.asService((tx) => watchedSites(tx));
  await Promise.all(
    sites.map(async (site) => {
      // Nodes that answer are proof enough: their store may be behind a link that is full of frames.
      const answers = site.nodesOnline > 0 || (await storeAnswers(stores, site.id));
      if (answers && site.status === 'lost') {
        await database.asService((tx) => regainSite(tx, site.id));
        log.info({ site: site.name }, 'a lost site answers again');
      } else if (!answers && site.status !== 'lost') {
        const jobs = await database.asService((tx) => loseSite(tx, site));
        log.warn({ site: site.name, jobs }, 'a site is lost: neither its store nor its nodes answer');
      }
    }),
  );
}

async function storeAnswers(stores: SiteStores, siteId: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const check = stores.of(siteId).then(({ store }) => store.check());
  const answer = check.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
