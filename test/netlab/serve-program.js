/** Serves one file by ranges, as a store does: `node serve-program.js FILE ADDRESS`. Prints "ready"; the lab ends it. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , file, address] = process.argv;
const { size } = statSync(file);
createServer(({ headers }, answer) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const range = headers.range ? { 'content-range': `bytes ${from}-${size - 1}/${size}` } : {};
  answer.writeHead(headers.range ? 206 : 200, { 'content-length': size - from, ...range });
  createReadStream(file, { start: from })
    .on('error', () => answer.destroy())
    .pipe(answer);
}).listen(8080, address, () => process.stdout.write('ready\n'));
