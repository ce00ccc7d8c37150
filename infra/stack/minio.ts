/** One MinIO server as the object store. Plain S3: any other server of that API can take its place. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { locate } from '../bootstrap/locate.js';
import { startProcess, untilReady } from './managed-process.ts';
import { checkProgram } from './program.ts';
import { externalService, type RunningService, type ServiceContext } from './service.ts';
import { storeProgram } from './store-program.ts';
import { untilReachable } from './temporal.ts';

const REMEDY = 'Run "npm start" or "npm test", which compile it, or set FARM_MINIO_BIN.';

/**
 * Starts the server, or finds the one at `FARM_S3_ENDPOINT`. The address is the URL of its S3 API. It listens on loopback
 * unless `FARM_S3_HOST` names another address, for nodes that come from elsewhere (`FARM_S3_PUBLIC_ENDPOINT`).
 */
export async function startStore(context: ServiceContext): Promise<RunningService> {
  const given = context.variables.FARM_S3_ENDPOINT;
  if (given) {
    const url = new URL(given);
    await untilReachable('The object store', `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`);
    return externalService('store', 'Object store', given);
  }
  const program = locate('minio', context.variables);
  if (!program)
    throw new FarmError('BinaryMissing', `The MinIO server is not installed. ${REMEDY}`, { service: 'MinIO' });
  checkProgram('MinIO', program.path, REMEDY);
  const port = await context.port('store', 'MinIO', 'FARM_S3_PORT');
  const folder = join(context.home, 'store');
  mkdirSync(folder, { recursive: true });
  const process = await startProcess(
    {
      name: 'MinIO',
      command: program.path,
      ...storeProgram({
        ...{ folder, configFolder: join(context.home, 'minio') },
        address: `${context.variables.FARM_S3_HOST || '127.0.0.1'}:${port}`,
        accessKey: context.state.credentials.storeAccessKey,
        secretKey: context.state.credentials.storeSecretKey,
      }),
      logPath: join(context.home, 'logs', 'minio.log'),
    },
    context.keeper,
  );
  const address = `http://127.0.0.1:${port}`;
  await untilReady(process, async () => {
    const answer = await fetch(`${address}/minio/health/ready`, { signal: AbortSignal.timeout(2000) });
    return answer.ok;
  });
  return { name: 'store', title: 'MinIO', address, process, stop: process.stop };
}
