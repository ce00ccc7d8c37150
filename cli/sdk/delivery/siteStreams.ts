/** How many downloads run at a time: a few from each site, so that no link idles while another's frames queue. */
import pLimit, { type LimitFunction } from 'p-limit';

const STREAMS_PER_SITE = 3;
/** Over all sites. */
const STREAMS = 48;

export class SiteStreams {
  readonly #sites = new Map<string, LimitFunction>();
  readonly #all = pLimit(STREAMS);

  /** Something of the site is on its way or waits for its turn. */
  isBusy(siteId: string | null): boolean {
    const site = this.#sites.get(siteId ?? '');
    return site !== undefined && site.activeCount + site.pendingCount > 0;
  }

  /**
   * Runs the work when its site and the whole have a stream free; in the order of the calls for each site. Work that needs
   * its stream no longer (the bytes are here, the disk is not done with them) calls `free`, and the next begins.
   */
  run<T>(siteId: string | null, work: (free: () => void) => Promise<T>): Promise<T> {
    const key = siteId ?? '';
    const site = this.#sites.get(key) ?? pLimit(STREAMS_PER_SITE);
    this.#sites.set(key, site);
    return new Promise((resolve, reject) => {
      const untilFree = (): Promise<void> =>
        new Promise((free) => {
          work(free).then(resolve, reject).finally(free);
        });
      void site(() => this.#all(untilFree));
    });
  }
}
