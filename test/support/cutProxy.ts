/** A way to a real service that breaks where a test wants it to: bytes pass as they are, up to a point. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CutProxy {
  /** The service's address by way of here. */
  url: string;
  /** Bytes that came back from the service so far. */
  passedBytes(): number;
  /**
   * Lets so many more bytes come back, then nothing any more, and calls `then`. `Infinity` opens the way again for new
   * connections.
   */
  cutAfter(bytes: number, then?: () => void): void;
  /** Lets nothing come back until the answer is called. */
  hold(): () => void;
  /** Ends all connections; new ones are served. */
  dropAll(): void;
  close(): Promise<void>;
}

/** @param target URL of a service on this machine */
export async function startCutProxy(target: string): Promise<CutProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const services = new Set<Socket>();
  let isHeld = false;
  let passed = 0;
  let left = Number.POSITIVE_INFINITY;
  let onCut = (): void => {};
  const server = createServer((client) => {
    const service = connect(Number(port), hostname);
    for (const socket of [client, service]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    services.add(service);
    service.on('close', () => services.delete(service));
    client.pipe(service);
    service.on('data', (bytes) => {
      const part = bytes.subarray(0, Math.min(bytes.length, left));
      if (part.length > 0) client.write(part);
      passed += part.length;
      if (left === Number.POSITIVE_INFINITY) return;
      const isLast = left > 0 && part.length === left;
      left -= part.length;
      if (isLast) onCut();
    });
    if (isHeld) service.pause();
    service.on('end', () => left > 0 && client.end());
    client.on('close', () => service.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passedBytes: () => passed,
    cutAfter(bytes, then = () => {}) {
      left = bytes;
      onCut = then;
    },
    hold() {
      isHeld = true;
      for (const service of services) service.pause();
      return () => {
        isHeld = false;
        for (const service of services) service.resume();
      };
    },
    dropAll() {
      for (const socket of open) socket.destroy();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
