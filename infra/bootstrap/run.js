/** Runs a program of the set-up to its end and keeps what it said. */
import { spawn } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './errors.js';

const running = new Set();

/** Ends every program that runs: another part of the set-up has failed, and nobody waits for the rest. */
export function endAll() {
  for (const child of running) child.kill('SIGTERM');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, missing?: string, onLine?: (line: string) => void}} [options]
 *   missing: what to do when the program is not installed; onLine gets every line of stdout and stderr
 * @returns {Promise<string>} stdout and stderr together
 */
export function run(command, args, { env = process.env, cwd, missing, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    let rest = '';
    const take = (chunk) => {
      output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    };
    // An interrupted set-up ends what it started; temporary files are named and swept by the next one.
    const end = () => child.kill('SIGTERM');
    process.once('exit', end);
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => {
      process.removeListener('exit', end);
      const gone = error.code === 'ENOENT';
      reject(
        gone
          ? new SetupError('BinaryMissing', `"${command}" is not installed.`, missing ?? `Install ${command}.`)
          : new SetupError(
              'BinaryMissing',
              `"${command}" cannot be run: ${error.message}`,
              missing ?? `Check ${command}.`,
            ),
      );
    });
    child.on('close', (code, signal) => {
      running.delete(child);
      process.removeListener('exit', end);
      if (code === 0) resolve(output);
      else reject(failure(command, args, code ?? signal, output));
    });
  });
}

function failure(command, args, status, output) {
  const tail = output.trimEnd().split('\n').slice(-12).join('\n');
  if (/no space left on device|ENOSPC|disk quota exceeded/i.test(output)) {
    return new SetupError('DiskFull', `"${command}" ran out of disk space.\n${tail}`, 'Free space, then start again.');
  }
  const offline =
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|dial tcp|Temporary failure in name resolution|Max retries exceeded/i;
  return new SetupError(
    'ServiceFailed',
    `"${command} ${args.join(' ')}" ended with ${status}.\n${tail}`,
    offline.test(output)
      ? 'Check the network connection, then start again.'
      : 'Read the lines above, then start again.',
  );
}

/** @throws SetupError `DiskFull` when the disk of `folder` has less than `bytes` free. */
export function checkDisk(folder, bytes, purpose) {
  const existing = nearestExisting(folder);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new SetupError(
    'DiskFull',
    `${existing} has ${(free / 1e9).toFixed(1)} GB free; ${purpose} needs ${(bytes / 1e9).toFixed(1)} GB.`,
    'Free space there, or set FARM_CACHE to a folder on another disk.',
  );
}

function nearestExisting(folder) {
  for (let path = folder; ; path = dirname(path)) {
    try {
      statfsSync(path);
      return path;
    } catch {
      if (path === dirname(path)) return path;
    }
  }
}
