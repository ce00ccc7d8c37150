/** How the command finds its farm: the environment, else what the farm of this folder left for its clients. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FarmClient } from './sdk/client.ts';
import { FarmApiError, refuse } from './sdk/errors.ts';

/** Written by the farm when it is up (`infra/stack/seed.ts`), for its owner's eyes only. */
export interface ClientFile {
  url: string;
  key: string;
  studio: string;
  /** Key of an operator; absent in files of older farms until they start again. */
  operatorKey?: string;
}

/** Folder of the farm's state: `FARM_HOME`, else `.farm` in the current folder. */
export function farmHome(): string {
  return resolve(process.env.FARM_HOME || '.farm');
}

/**
 * @throws FarmApiError `StackNotRunning` when neither `FARM_URL` and `FARM_KEY` nor a farm in this folder say where to go;
 * `SettingInvalid` for a `FARM_URL` that is none; `Unauthenticated` where this farm's key would go to another
 */
export function connection(): { url: string; key: string } {
  const { FARM_URL, FARM_KEY } = process.env;
  if (FARM_URL && !URL.canParse(FARM_URL)) {
    const remedy = 'Set it to something like https://farm.example.';
    throw refuse('SettingInvalid', `FARM_URL is "${FARM_URL}", which is no address.`, remedy, { setting: 'FARM_URL' });
  }
  if (FARM_URL && FARM_KEY) return { url: FARM_URL, key: FARM_KEY };
  const file = readClientFile(farmHome());
  if (file && FARM_URL && new URL(FARM_URL).origin !== new URL(file.url).origin) {
    throw new FarmApiError({
      code: 'Unauthenticated',
      detail: `FARM_URL names ${FARM_URL}, and FARM_KEY is not set; the key of the farm in ${farmHome()} is not sent there.`,
      place: { url: FARM_URL },
      remedy: 'Set FARM_KEY as well, or leave FARM_URL out.',
      status: 0,
    });
  }
  if (file) return { url: FARM_URL || file.url, key: FARM_KEY || file.key };
  throw new FarmApiError({
    code: 'StackNotRunning',
    detail: `There is no farm in ${farmHome()}, and FARM_URL and FARM_KEY are not set.`,
    place: { home: farmHome() },
    remedy: 'Start the farm with "npm start" or "farm up", or set FARM_URL and FARM_KEY.',
    status: 0,
  });
}

export const connect = (): FarmClient => new FarmClient(connection());

/**
 * A client with an operator's key: `FARM_OPERATOR_KEY`, else what the farm of this folder left for its owner, else the
 * key that all commands use.
 */
export function connectAsOperator(): FarmClient {
  const { url, key } = connection();
  const own = process.env.FARM_URL ? undefined : readClientFile(farmHome())?.operatorKey;
  return new FarmClient({ url, key: process.env.FARM_OPERATOR_KEY || own || key });
}

/** The client file of a home, if there is one. */
export function readClientFile(home: string): ClientFile | undefined {
  try {
    return JSON.parse(readFileSync(join(home, 'client.json'), 'utf8')) as ClientFile;
  } catch {
    return undefined;
  }
}
