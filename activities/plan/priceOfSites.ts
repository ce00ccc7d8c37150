/** What the sites that a job may go to make of its price. */
import { FarmError } from '../../domain/errors.ts';
import { barredBy, type PlacementWish } from '../../domain/placement.ts';
import type { Tx } from '../../ports/db/client.ts';
import type { HostRequirements } from '../../ports/db/documents.ts';
import { type PlacementDocument, sitesNow } from '../../ports/db/placement.ts';
import type { JobRow } from '../../ports/db/tables.ts';

/**
 * A unit's price is fixed before it starts, so a site's price factor counts only where the sites are known when the job is
 * quoted: the job is pinned to sites (the dearest of them counts), or goes where it costs least (it is pinned to those sites
 * from then on). Otherwise the tariff holds, wherever a chunk ends up.
 * @returns the price of an FBh in base units, rounded up, and the wish as it holds from now on
 * @throws FarmError `PlacementImpossible` when no site that is online may take the job
 */
export async function priceOfSites(
  tx: Tx,
  job: Pick<JobRow, 'id' | 'placement'>,
  needs: HostRequirements,
  tariffPrice: bigint,
): Promise<{ pricePerFbh: bigint; wish: PlacementWish | undefined }> {
  const { wish } = job.placement as PlacementDocument;
  if (!wish || (!wish.sites && wish.objective !== 'cost')) return { pricePerFbh: tariffPrice, wish };
  const allowed = (await sitesNow(tx, { needs, jobId: job.id })).filter((site) => barredBy(site, wish) === null);
  const able = allowed.filter(({ slots }) => slots > 0);
  const chosen = wish.objective === 'cost' ? cheapest(able.length > 0 ? able : allowed) : allowed;
  if (chosen.length === 0) {
    throw new FarmError('PlacementImpossible', 'No site that is online may take the job.', { field: 'placement' });
  }
  const factorE6 = BigInt(Math.round(Math.max(...chosen.map(({ priceFactor }) => priceFactor)) * 1e6));
  const pricePerFbh = (tariffPrice * factorE6 + 999_999n) / 1_000_000n;
  return { pricePerFbh, wish: wish.objective === 'cost' ? { ...wish, sites: chosen.map(({ name }) => name) } : wish };
}

function cheapest<T extends { priceFactor: number }>(sites: readonly T[]): T[] {
  const least = Math.min(...sites.map(({ priceFactor }) => priceFactor));
  return sites.filter(({ priceFactor }) => priceFactor === least);
}
