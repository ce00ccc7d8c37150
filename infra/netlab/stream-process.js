/**
 * One plain TCP stream over a link, measured where it arrives.
 *
 *     node stream-process.js serve ADDRESS PORT               prints "ready", serves until its input closes
 *     node stream-process.js measure ADDRESS PORT up|down MS  prints payload in Mbit/s, as a number
 */
import net from 'node:net';

/** The beginning is left out: the stream's slow start, and what the link's bucket had saved up. */
const WARM_UP_MS = 250;
const BLOCK = Buffer.alloc(262_144, 0x5a);

const [mode, address, port, direction, milliseconds] = process.argv.slice(2);

/** Writes for so long as asked, then ends its side. */
function send(socket, forMs) {
  const until = Date.now() + forMs;
  const write = () => {
    while (Date.now() < until) {
      if (!socket.write(BLOCK)) {
        socket.once('drain', write);
        return;
      }
    }
    socket.end();
  };
  write();
}

/** Resolves with Mbit/s when the other side has ended. */
function receive(socket) {
  return new Promise((resolve, reject) => {
    const marks = [];
    let bytes = 0;
    socket.on('data', (block) => {
      bytes += block.length;
      marks.push({ at: performance.now(), bytes });
    });
    socket.on('end', () => resolve(rateOf(marks)));
    socket.on('error', reject);
  });
}

/**
 * A busy machine hands bytes over late and never early. So the rate is the slope between the most punctual mark of the
 * first third and that of the last.
 */
function rateOf(all) {
  const marks = all.filter(({ at }) => at - all[0].at >= WARM_UP_MS);
  if (marks.length < 6) return 0;
  const slope = (from, to) => (to.bytes - from.bytes) / (to.at - from.at);
  const rough = slope(marks[0], marks.at(-1));
  const lateness = ({ at, bytes }) => at - bytes / rough;
  const punctual = (some) => some.reduce((best, mark) => (lateness(mark) < lateness(best) ? mark : best));
  const third = Math.floor(marks.length / 3);
  return (slope(punctual(marks.slice(0, third)), punctual(marks.slice(-third))) * 8) / 1000;
}

if (mode === 'serve') {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('readable', async () => {
      const order = socket.read(1).toString();
      if (order === 'd') {
        const forMs = socket.read(4).readUInt32BE();
        send(socket, forMs);
      } else socket.end(String(await receive(socket)));
    });
  });
  server.listen(Number(port), address, () => process.stdout.write('ready\n'));
  process.stdin.on('close', () => process.exit(0)).resume();
} else {
  const socket = net.connect({ host: address, port: Number(port), allowHalfOpen: true });
  socket.once('connect', async () => {
    const forMs = Buffer.alloc(4);
    forMs.writeUInt32BE(Number(milliseconds));
    if (direction === 'down') {
      socket.write(Buffer.concat([Buffer.from('d'), forMs]));
      process.stdout.write(String(await receive(socket)));
      process.exit(0);
    }
    socket.write('u');
    send(socket, Number(milliseconds));
    let answer = '';
    socket.on('data', (text) => (answer += text));
    socket.on('end', () => {
      process.stdout.write(answer);
      process.exit(0);
    });
  });
}
