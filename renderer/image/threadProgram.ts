/** Threads for work on pictures that would hold up the event loop. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts the program `name` that stands beside the calling module (`from` is its `import.meta.url`). Node cannot run TypeScript,
 * so a caller that runs from its sources (a test) uses the built program.
 */
export function startThread(from: string, name: string): Worker {
  const here = fileURLToPath(from);
  const built = here.endsWith('.ts') ? here.replace(/^(.*)\/(renderer|activities|workers)\//, '$1/dist/$2/') : here;
  return new Worker(built.replace(/[^/]+$/, `${name}.js`), { execArgv: [] });
}
