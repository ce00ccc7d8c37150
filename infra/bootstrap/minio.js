/** Compiles the MinIO server from its pinned source and puts it into the cache; happens once. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './errors.js';
import { cachedPath } from './locate.js';
import { checkDisk, run } from './run.js';
import { MINIO } from './versions.js';

const GO = `Install Go ${MINIO.goMinimum.join('.')} or later (https://go.dev/dl), or set FARM_MINIO_BIN to a MinIO server.`;
/** Packages that the compiler names with -v, measured on linux-x64; only for the progress. */
const PACKAGES = 1300;

/** @param {{update(text: string): void}} task */
export async function compileMinio(task) {
  const target = cachedPath('minio');
  const folder = dirname(target);
  await checkGo();
  checkDisk(folder, MINIO.diskBytes, 'compiling MinIO');
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(folder, '.build-'));
  let downloads = 0;
  let compiled = 0;
  try {
    await run(
      'go',
      ['install', '-v', '-trimpath', '-ldflags=-s -w', '-gcflags=all=-dwarf=false', `${MINIO.module}@${MINIO.version}`],
      {
        // The compiler's own garbage collector is a good part of its work; memory is there for a few minutes.
        env: { GOGC: '400', ...process.env, GOBIN: temporary, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' },
        cwd: temporary,
        missing: GO,
        onLine: (line) => {
          if (line.startsWith('go: downloading')) {
            downloads += 1;
            task.update(`downloading modules (${downloads})`);
          } else if (!line.startsWith('go: ')) {
            compiled += 1;
            task.update(`compiling, ${Math.min(99, Math.round((100 * compiled) / PACKAGES))} %`);
          }
        },
      },
    );
    renameSync(join(temporary, 'minio'), target);
    return 'compiled';
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function checkGo() {
  const version = await run('go', ['env', 'GOVERSION'], { missing: GO });
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  const [leastMajor, leastMinor] = MINIO.goMinimum;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    throw new SetupError('BinaryMissing', `Go ${version.trim()} is too old to compile MinIO.`, GO);
  }
}
