/** TCP ports on loopback: kept from the last run while they are free, chosen anew otherwise. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { FarmError } from '../../domain/errors.ts';

/** Below the range from which systems take ports for outgoing connections, so that a kept port is rarely taken. */
const LOWEST = 17_000;
const HIGHEST = 31_999;

/** Whether a server could listen there now. */
function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A port for a service.
 * @param wish.pinned from the environment: this one or none
 * @param wish.kept of the last run: this one if it is free
 * @throws FarmError `PortTaken` when the pinned one is in use
 */
export async function choosePort(
  service: string,
  wish: { pinned?: string; variable?: string; kept?: number },
): Promise<number> {
  if (wish.pinned) {
    const port = Number(wish.pinned);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new FarmError('SettingInvalid', `${wish.variable} must be a port, not "${wish.pinned}".`, {
        variable: wish.variable ?? '',
      });
    }
    if (await isPortFree(port)) return port;
    throw new FarmError(
      'PortTaken',
      `Port ${port}, set for ${service} by ${wish.variable}, is in use by another program.`,
      {
        service,
        port,
      },
    );
  }
  if (wish.kept !== undefined && (await isPortFree(wish.kept))) return wish.kept;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isPortFree(port)) return port;
  }
  throw new FarmError('PortTaken', `No free port for ${service} from ${LOWEST} to ${HIGHEST}.`, { service });
}
