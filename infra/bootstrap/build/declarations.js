/** Type declarations of the SDK beside its modules in `dist/`, for programs of pipeline TDs: `dist/cli/sdk/client.d.ts`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listFiles } from './inputs.js';

/** Rooms that the SDK is made of; `npm run check:imports` holds it to them. */
export const SDK_ROOMS = ['cli/sdk', 'ports/http', 'ports/host'];

/** @throws Error with the compiler's words when the SDK's types are wrong */
export async function declareTypes(root) {
  for (const room of SDK_ROOMS) {
    // Those of modules that are gone would still be found.
    for (const path of listFiles(join(root, 'dist'), room).filter((path) => path.endsWith('.d.ts'))) {
      rmSync(join(root, 'dist', path));
    }
  }
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const child = spawn(process.execPath, [compiler, '--project', join(root, 'cli', 'sdk')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(output);
  // Written by hand or generated: the compiler reads these and writes none.
  for (const path of SDK_ROOMS.flatMap((room) => listFiles(root, room)).filter((path) => path.endsWith('.d.ts'))) {
    mkdirSync(dirname(join(root, 'dist', path)), { recursive: true });
    copyFileSync(join(root, path), join(root, 'dist', path));
  }
}
