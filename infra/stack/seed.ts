/** What a new farm begins with: a tariff, the first studio and its API key, which the owner's clients find in the home. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../../ports/chain/chain.ts';
import type { Database } from '../../ports/db/client.ts';
import { currentTariff, findApiKey, findStudio, recordDeployment, setTariff } from '../../ports/db/studios.ts';
import type { FarmEnvironment } from './environment.ts';
import { giveKey, hashOfKey, openStudio, welcome, withDatabase } from './studios.ts';

/** `client.json` in the home: how the `farm` command finds its farm. For the owner's eyes only. */
interface ClientFile {
  url: string;
  key: string;
  studio: string;
  /** Key of an operator, who registers sites. */
  operatorKey: string;
}

const STUDIO = { slug: 'demo', name: 'Demo Studio', currency: 'EUR' };
/** 90 CMP an hour at score 1.0, 0.25 EUR a CMP, 19 % tax: values to begin with; a newer row changes them. */
const TARIFF = {
  currency: STUDIO.currency,
  pricePerFbh: 90n * 10n ** 18n,
  centsPerTokenE6: 25_000_000,
  taxBasisPoints: 1900,
};

/** Brings what is missing and changes nothing that is there. @throws FarmError of the database and the chain */
export async function seed(environment: FarmEnvironment, deployment: Deployment): Promise<void> {
  await withDatabase(environment, async (database) => {
    const { chainId, escrow, settlement, token, tokenSymbol, tokenDecimals, blockNumber } = deployment;
    const studio = await database.asService(async (tx) => {
      await recordDeployment(tx, { chainId, escrow, settlement, token, tokenSymbol, tokenDecimals, blockNumber });
      if (!(await currentTariff(tx))) await setTariff(tx, TARIFF);
      return findStudio(tx, STUDIO.slug);
    });
    if (!studio) {
      const opened = await openStudio(environment, STUDIO);
      writeClientFile(environment, opened.key, await operatorKey(environment, database));
      return;
    }
    // A start that was interrupted between the row and the gift is made good here.
    await welcome(environment, studio.account);
    // The record holds only the key's hash, so a lost file means a new key.
    const key =
      (await validKey(database, readClientFile(environment)?.key)) ??
      (await giveKey(database, studio.id, 'td', 'key after a lost file'));
    writeClientFile(environment, key, await operatorKey(environment, database));
  });
}

/** The operator's key of the file, or a new one. */
async function operatorKey(environment: FarmEnvironment, database: Database): Promise<string> {
  const known = await validKey(database, readClientFile(environment)?.operatorKey);
  return known ?? giveKey(database, null, 'operator', "the farm's owner");
}

const validKey = async (database: Database, key: string | undefined): Promise<string | undefined> =>
  key !== undefined && (await database.asService((tx) => findApiKey(tx, hashOfKey(key)))) ? key : undefined;

const clientPath = (environment: FarmEnvironment): string => join(environment.home, 'client.json');

function readClientFile(environment: FarmEnvironment): Partial<ClientFile> | undefined {
  const path = clientPath(environment);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<ClientFile>) : undefined;
}

/** The URL changes with the port, so it is written at every start. */
function writeClientFile(environment: FarmEnvironment, key: string, operatorKey: string): void {
  const path = clientPath(environment);
  const file: ClientFile = { url: environment.api.url, key, studio: STUDIO.slug, operatorKey };
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
