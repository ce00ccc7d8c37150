/**
 * Three kinds of tests by name, each to be run alone with `npx vitest run --project NAME`:
 * `*.test.ts` beside a file needs nothing (unit); `*.stack.test.ts` uses the real services (stack); what lies in `test/`
 * crosses rooms and runs the built farm as well (end-to-end). Services are started once, and only when needed.
 */
import { defineConfig } from 'vitest/config';

const skipped = ['**/node_modules/**', '**/dist/**', '**/.farm/**', '**/.cache/**'];

export default defineConfig({
  test: {
    reporters: ['default', './infra/bootstrap/summary-reporter.js'],
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.tsx'],
          exclude: [...skipped, '**/*.stack.test.ts', 'test/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: ['**/*.stack.test.ts'],
          exclude: [...skipped, 'test/**'],
          globalSetup: ['./test/support/stack.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['test/**/*.test.ts'],
          exclude: skipped,
          globalSetup: ['./test/support/build.ts', './test/support/stack.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Each starts a farm or renders: one after the other on a small machine.
          fileParallelism: false,
        },
      },
    ],
  },
});
