/** Is the process alive, and are the services behind it. */
import type { Api, ApiDeps } from '../deps.ts';

export function addHealth(api: Api, { database, store, workflows, chain }: ApiDeps): void {
  api.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));

  api.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const checks: Record<string, () => Promise<unknown>> = {
      database: () => database.asService((tx) => tx.selectFrom('sites').select('id').limit(1).execute()),
      store: () => store.check(),
      workflows: () => workflows.check(),
      chain: () => chain.blockNumber(),
    };
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        try {
          await withinMs(check(), 5_000);
          return [name, 'ok'] as const;
        } catch (error) {
          return [name, error instanceof Error ? error.message : String(error)] as const;
        }
      }),
    );
    const ready = results.every(([, result]) => result === 'ok');
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ok' : 'failed', services: Object.fromEntries(results) });
  });
}

async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
