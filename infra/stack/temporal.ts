/** The Temporal development server, on SQLite. Workflows survive its restart. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { locate } from '../bootstrap/locate.js';
import { startProcess, untilReady } from './managed-process.ts';
import { checkProgram } from './program.ts';
import { externalService, type RunningService, type ServiceContext } from './service.ts';

const REMEDY = 'Run "npm start" or "npm test", which fetch it, or set FARM_TEMPORAL_BIN.';

/** Starts the server, or finds the one at `FARM_TEMPORAL_ADDRESS`. The address is `host:port` of its frontend. */
export async function startTemporal(context: ServiceContext): Promise<RunningService> {
  const given = context.variables.FARM_TEMPORAL_ADDRESS;
  if (given) {
    await untilReachable('Temporal', given);
    return externalService('temporal', 'Temporal', given);
  }
  const program = locate('temporal', context.variables);
  if (!program)
    throw new FarmError('BinaryMissing', `The Temporal server is not installed. ${REMEDY}`, { service: 'Temporal' });
  checkProgram('Temporal', program.path, REMEDY);
  const port = await context.port('temporal', 'Temporal', 'FARM_TEMPORAL_PORT');
  const httpPort = await context.port('temporalHttp', "Temporal's HTTP API", 'FARM_TEMPORAL_HTTP_PORT');
  const uiPort = await context.port('temporalUi', "Temporal's page", 'FARM_TEMPORAL_UI_PORT');
  const folder = join(context.home, 'temporal');
  mkdirSync(folder, { recursive: true });
  const process = await startProcess(
    {
      name: 'Temporal',
      command: program.path,
      args: [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'error'],
        ...['--port', String(port), '--http-port', String(httpPort)],
        ...(context.volatile ? ['--headless'] : ['--ui-port', String(uiPort)]),
        ...['--db-filename', join(folder, 'temporal.db')],
        // Without these two, every step waits for the disk: ten times slower.
        ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF'],
      ],
      logPath: join(context.home, 'logs', 'temporal.log'),
    },
    context.keeper,
  );
  await untilReady(process, async () => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/namespaces/default`, {
      signal: AbortSignal.timeout(2000),
    });
    return answer.ok;
  });
  return { name: 'temporal', title: 'Temporal', address: `127.0.0.1:${port}`, process, stop: process.stop };
}

/** @throws FarmError `ServiceFailed` when nobody listens at `host:port`. */
export function untilReachable(title: string, address: string): Promise<void> {
  const [host = '127.0.0.1', port = ''] = address.split(/:(?=\d+$)/);
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(
        new FarmError('ServiceFailed', `${title} does not answer at ${address}: ${why}`, { service: title, address }),
      );
    };
    const socket = connect({ host, port: Number(port) });
    socket.setTimeout(5000, () => fail('no connection within 5 s'));
    socket.once('error', (error) => fail(error.message));
    socket.once('connect', () => {
      socket.end();
      resolve();
    });
  });
}
