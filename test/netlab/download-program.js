/**
 * A node's download of one blob: `node download-program.js FILE JSON`, with hash, size, sources and patience in the JSON. Prints
 * how many bytes are there whenever some came, then "whole", or the error's code.
 */
import { createGatewayClient } from '../../dist/ports/gateway/client.js';
import { download } from '../../dist/workers/node/download.js';
import { PartFile } from '../../dist/workers/node/partFile.js';

const [, , file, asked] = process.argv;
const { hash, sizeBytes, sources, slowMs } = JSON.parse(asked);
const part = await PartFile.open(file);
let came = 0;
const onBytes = (bytes) => {
  came += bytes;
  process.stdout.write(`${came}\n`);
};
const gateway = createGatewayClient('http://127.0.0.1:9');
const signal = new AbortController().signal;
try {
  await download(part, { hash, sizeBytes }, sources, { gateway, signal, onBytes, onBad() {}, slowMs });
  process.stdout.write('whole\n');
} catch (error) {
  process.stdout.write(`${error.code}\n`);
}
await part.close();
