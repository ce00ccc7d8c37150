/**
 * Builds what processes run from: `dist/`. Each step has a key over the contents of its inputs and is left out when
 * nothing changed; the steps run at the same time, one process each, under a lock so that two builds never meet.
 *
 *     node infra/bootstrap/build.js            everything that changed
 *     node infra/bootstrap/build.js --step web one step, even if nothing changed
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { steps } from './build/steps.js';
import { report, SetupError } from './errors.js';
import { withLock } from './lock.js';
import { createProgress } from './progress.js';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const stampsPath = join(root, 'dist', '.stamps.json');

/**
 * @param {{quiet?: boolean, progress?: ReturnType<typeof createProgress>}} [options] `progress` of a set-up that still goes on
 * @returns {Promise<string[]>} names of the steps that were run
 * @throws SetupError `ServiceFailed` with the last lines of the step that failed
 */
export async function build({ quiet = false, progress = createProgress({ quiet }) } = {}) {
  return withLock(join(root, '.cache', 'build.lock'), async () => {
    const stamps = readStamps();
    const open = steps
      .map((step) => ({ step, key: step.key(root) }))
      .filter(({ step, key }) => key !== undefined && (stamps[step.name] !== key || !step.isThere(root)));
    if (open.length === 0) return [];
    const results = await Promise.allSettled(
      open.map(async ({ step, key }) => {
        const task = progress.task(`build ${step.name}`, step.describe);
        try {
          await inOwnProcess(step.name);
          stamps[step.name] = key;
          task.done();
        } catch (error) {
          delete stamps[step.name];
          task.failed();
          throw error;
        }
      }),
    );
    writeStamps(stamps);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return open.map(({ step }) => step.name);
  });
}

/**
 * Whether the sources are those that the code of `dist/` was made from; also where nobody knows, as in an image. Takes 20 ms.
 * @returns {boolean}
 */
export function isCodeCurrent() {
  const { code } = readStamps();
  return code === undefined || code === steps.find(({ name }) => name === 'code').key(root);
}

function inOwnProcess(name) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--step', name], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const tail = output.trimEnd().split('\n').slice(-40).join('\n');
        reject(
          new SetupError(
            'ServiceFailed',
            `Building ${name} ended with ${code ?? signal}.\n${tail}`,
            'Mend the source named above.',
          ),
        );
      }
    });
  });
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampsPath, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamps(stamps) {
  mkdirSync(dirname(stampsPath), { recursive: true });
  writeFileSync(`${stampsPath}.new`, JSON.stringify(stamps, null, 2));
  renameSync(`${stampsPath}.new`, stampsPath);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const only = process.argv.indexOf('--step');
    if (only > 0) {
      const step = steps.find(({ name }) => name === process.argv[only + 1]);
      if (!step)
        throw new SetupError(
          'SettingInvalid',
          `No build step "${process.argv[only + 1]}".`,
          steps.map(({ name }) => name).join(', '),
        );
      await step.run(root);
    } else {
      const done = await build();
      process.stderr.write(done.length > 0 ? `Built ${done.join(', ')}.\n` : 'Nothing changed.\n');
    }
  } catch (error) {
    report(error);
  }
}
