/**
 * Connections that read into memory of their own again and again, and can hand what they read to somebody else than Node's
 * parser. Node allocates anew for each read, and its parser once more for each piece of a body; that memory lies outside
 * V8's heap, and V8 answers with full collections, several a second while files arrive over ten links.
 */
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Large packets cross whole (GSO: 64 KiB), and more than one waits when the machine is busy. */
const READ_BYTES = 256 * 1024;

/** Takes what was read; the memory is used again when it returns. False: nothing more is read until `socket.resume()`. */
export type Tap = (bytes: Buffer) => boolean;

const taps = new WeakMap<Socket, Tap>();

/** From the next read on, everything goes to `tap`; the parser sees nothing of it. Only for a `SteadyAgent`'s connection. */
export const tapSocket = (socket: Socket, tap: Tap): void => void taps.set(socket, tap);

/** For plain HTTP only. A connection serves one request: the parser does not know when a body ends that it did not see. */
export class SteadyAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Socket {
    const socket: Socket = connect({
      ...(options as NetConnectOpts),
      // The answer takes this mark from its socket: with anything in its queue it stops reading, so that little of a body is
      // in the queue when the tap comes.
      ...{ readableHighWaterMark: 1 },
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback(length, buffer) {
          const bytes = (buffer as Buffer).subarray(0, length);
          const tap = taps.get(socket);
          if (tap) return tap(bytes);
          // To Node's parser it looks like any other socket.
          socket.emit('data', bytes);
          return true;
        },
      },
    });
    return socket;
  }
}
