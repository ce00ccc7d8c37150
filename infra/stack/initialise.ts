/**
 * Gets a farm ready whose services run elsewhere (several machines, `docker-compose.yml`): schema, bucket, contracts, first
 * studio. Ends when all is there; may run again at any time.
 *
 * Beside the farm's own settings it needs `FARM_DATABASE_URL` (a role that may create roles and databases) and
 * `FARM_DATABASE_URL_OWNER`, whose password, like those of the other two roles, becomes the role's.
 */
import { mkdirSync } from 'node:fs';
import { FarmError, toProblem } from '../../domain/errors.ts';
import { deployContracts } from './deploy.ts';
import { readEnvironment } from './environment.ts';
import { migrate } from './migrate.ts';
import { seed } from './seed.ts';
import { ensureBucket } from './store-bucket.ts';

try {
  const environment = readEnvironment(process.env);
  const { database } = environment;
  const adminUrl = process.env.FARM_DATABASE_URL;
  if (!adminUrl || !database.owner) {
    throw new FarmError('SettingInvalid', 'FARM_DATABASE_URL and FARM_DATABASE_URL_OWNER must be set.');
  }
  mkdirSync(environment.home, { recursive: true });
  const passwords = {
    owner: passwordOf(database.owner),
    app: passwordOf(database.app),
    service: passwordOf(database.service),
  };
  const { applied } = await migrate(adminUrl, passwords, new URL(database.owner).pathname.slice(1));
  say(`schema: ${applied.length > 0 ? applied.join(', ') : 'current'}`);
  await ensureBucket(environment.store);
  say(`bucket: ${environment.store.bucket}`);
  const deployment = await deployContracts(environment);
  say(`contracts: escrow ${deployment.escrow} on chain ${deployment.chainId}`);
  await seed(environment, deployment);
  say(`first studio: its key is in ${environment.home}/client.json`);
} catch (error) {
  const { code, message, remedy } = toProblem(error);
  process.stderr.write(`${code}: ${message}\n${remedy}\n`);
  process.exitCode = 1;
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
