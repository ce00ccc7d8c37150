/**
 * Kinds of tests, each to be run alone with `npx vitest run --project NAME`:
 *
 * | name | files | needs |
 * |---|---|---|
 * | unit | `*.test.ts` beside the file it tests | nothing |
 * | alone | `*.alone.test.ts` beside the file it tests | a process in which nothing was loaded before |
 * | stack | `*.stack.test.ts` beside the file it tests | the real services |
 * | house | `test/**` but the next | the built farm's programs and the real services |
 * | end-to-end | `test/end-to-end/**` | a whole running farm |
 *
 * What a kind needs is started once, and only when one of its tests runs.
 */
import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/support/slowest-first.ts';

/**
 * Unit and stack files follow one another in a process: starting one and loading the same modules again took more time
 * than many a file's tests. What a test changes in its process (`process.env`, say) it puts back. `FARM_TEST_ISOLATE=1` gives each
 * file a process of its own, to see whether one minds what another left.
 */
const isolate = process.env.FARM_TEST_ISOLATE === '1';

const skipped = ['**/node_modules/**', '**/dist/**', '**/.farm/**', '**/.cache/**'];

export default defineConfig({
  test: {
    reporters: ['default', './infra/bootstrap/summary-reporter.js'],
    pool: 'forks',
    // Most tests wait for services more than they compute: two at a time also where there are two cores.
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.tsx'],
          exclude: [...skipped, '**/*.alone.test.ts', '**/*.stack.test.ts', 'test/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          isolate,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['**/*.alone.test.ts'],
          exclude: [...skipped, 'test/**'],
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
          isolate,
        },
      },
      {
        extends: true,
        test: {
          name: 'house',
          include: ['test/**/*.test.ts'],
          exclude: [...skipped, 'test/end-to-end/**'],
          globalSetup: ['./test/support/build.ts', './test/support/stack.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          exclude: skipped,
          globalSetup: ['./test/support/build.ts', './test/support/shared-farm.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Each renders or starts a farm of its own: one after the other on a small machine.
          fileParallelism: false,
        },
      },
    ],
  },
});
