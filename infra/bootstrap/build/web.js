/** Builds the page with Vite. */
import { join } from 'node:path';
import { build } from 'vite';

/** Writes `dist/web` from `farm-ui/web`. @param {string} root folder of package.json */
export async function buildWeb(root) {
  await build({
    configFile: join(root, 'farm-ui', 'web', 'vite.config.ts'),
    root: join(root, 'farm-ui', 'web'),
    build: { outDir: join(root, 'dist', 'web'), emptyOutDir: true },
    logLevel: 'warn',
  });
}
