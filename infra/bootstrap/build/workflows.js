/** Bundles workflow code ahead of time, so that a worker starts in a moment. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Writes `dist/workflows.js` from `workflows/index.ts`. @param {string} root folder of package.json */
export async function bundleWorkflows(root) {
  const { code } = await bundleWorkflowCode({ workflowsPath: join(root, 'workflows', 'index.ts') });
  mkdirSync(join(root, 'dist'), { recursive: true });
  const target = join(root, 'dist', 'workflows.js');
  writeFileSync(`${target}.new`, code);
  renameSync(`${target}.new`, target);
}
