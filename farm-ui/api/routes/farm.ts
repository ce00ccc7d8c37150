/** The farm as everybody sees it: nodes and prices. */
import { FarmError } from '../../../domain/errors.ts';
import { listNodes } from '../../../ports/db/nodes.ts';
import { countOnlineNodes } from '../../../ports/db/queries/nodes.ts';
import { currentTariff } from '../../../ports/db/studios.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireCaller } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { farmInfo, nodeList } from '../schema/api.ts';

export function addFarm(api: Api, { database, chain, version }: ApiDeps): void {
  api.get(
    '/v1/farm',
    { schema: { tags: ['farm'], summary: 'Version, prices, token', response: { 200: farmInfo, ...problems } } },
    async (request) => {
      requireCaller(request, 'read');
      const { nodesOnline, tariff } = await database.asService(async (tx) => ({
        nodesOnline: await countOnlineNodes(tx),
        tariff: await currentTariff(tx),
      }));
      if (!tariff) throw new FarmError('ServiceFailed', 'The farm has no tariff yet.');
      const { tokenSymbol: symbol, tokenDecimals: decimals, token: address, chainId } = chain.deployment;
      return {
        version,
        nodesOnline,
        currency: tariff.currency,
        pricePerFbh: String(tariff.pricePerFbh),
        token: { symbol, decimals, address, chainId },
      };
    },
  );

  api.get(
    '/v1/nodes',
    { schema: { tags: ['farm'], summary: 'Render nodes', response: { 200: nodeList, ...problems } } },
    async (request) => {
      requireCaller(request, 'read');
      const nodes = await database.asService((tx) => listNodes(tx));
      return {
        items: nodes.map(({ lastSeenAt, ...node }) => ({ ...node, lastSeenAt: lastSeenAt.toISOString() })),
      };
    },
  );
}
