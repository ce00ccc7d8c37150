/**
 * Connections that read into memory of their own again and again. Node allocates anew for each read, and its parser once more
 * for each piece of a body; that memory lies outside V8's heap, and V8 answers with full collections, several a second while
 * frames arrive over ten links: pauses in which no stream was read. This saves the first of the two.
 */
import { Agent, type ClientRequestArgs } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Large packets cross whole (GSO: 64 KiB), and more than one waits when the machine is busy. */
const READ_BYTES = 256 * 1024;

/**
 * Whoever takes bytes of an answer has to be done with them before awaiting anything, as the next read may overwrite them.
 * For plain HTTP only.
 */
export class SteadyAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Socket {
    const socket = connect({
      ...(options as NetConnectOpts),
      // The answer takes this mark from its socket: with anything in its queue it stops reading, so that the queue never holds
      // bytes of an earlier read.
      ...{ readableHighWaterMark: 1 },
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback(length, buffer) {
          // To Node's parser it looks like any other socket.
          socket.emit('data', buffer.subarray(0, length));
          return true;
        },
      },
    });
    return socket;
  }
}
