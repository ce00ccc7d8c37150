/** The API's description without a running farm: routes and schemas, no services. */
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Api, ApiDeps } from './deps.ts';
import type { Hub } from './live/hub.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { API_VERSION, addStudioRoutes } from './server.ts';

/** @returns the description, and as the text that is kept in the repository */
export async function describeApi(): Promise<{ document: Record<string, unknown>; json: string }> {
  const api = Fastify().withTypeProvider<ZodTypeProvider>() as Api;
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  await addOpenApi(api, API_VERSION);
  // Handlers are never called, so nothing stands behind them.
  addStudioRoutes(api, {} as ApiDeps & { hub: Hub });
  await api.ready();
  const document = api.swagger() as unknown as Record<string, unknown>;
  await api.close();
  return { document, json: `${JSON.stringify(document, null, 2)}\n` };
}
