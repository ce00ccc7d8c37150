/** What a new farm begins with: a site, a tariff, the first studio and its API key, which the owner's clients find in the home. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDNodeWallet, Mnemonic } from 'ethers';
import pg from 'pg';
import type { FarmEnvironment } from './environment.ts';

/** `client.json` in the home: how the command finds its farm. For the owner's eyes only. */
export interface ClientFile {
  url: string;
  key: string;
  studio: string;
}

const STUDIO = { slug: 'demo', name: 'Demo Studio', currency: 'EUR', keyIndex: 1 };
const SITE = 'local';
/** 1 CMP for an hour at score 1.0, one euro a CMP, no tax: values for trying out, changed by a newer row. */
const TARIFF = { pricePerFbh: 10n ** 18n, centsPerTokenE6: 100_000_000n, taxBasisPoints: 0 };

/** Addresses of a studio whose keys the farm keeps: it pays with the first and countersigns with the second. */
export function studioAccounts(mnemonic: string, keyIndex: number): { account: string; sessionAccount: string } {
  const phrase = Mnemonic.fromPhrase(mnemonic);
  const at = (path: string) => HDNodeWallet.fromMnemonic(phrase, path).address;
  return { account: at(`m/44'/60'/0'/0/${keyIndex}`), sessionAccount: at(`m/44'/60'/1'/0/${keyIndex}`) };
}

/** Brings site, tariff, studio and key where they are missing; changes nothing that is there. */
export async function seed(environment: FarmEnvironment): Promise<void> {
  const client = new pg.Client({ connectionString: environment.database.service });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO farm.sites (name) VALUES ($1) ON CONFLICT DO NOTHING', [SITE]);
    await client.query(
      `INSERT INTO farm.tariffs (currency, price_per_fbh, cents_per_token_e6, tax_basis_points)
       SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM farm.tariffs)`,
      [STUDIO.currency, String(TARIFF.pricePerFbh), String(TARIFF.centsPerTokenE6), TARIFF.taxBasisPoints],
    );
    const { account, sessionAccount } = studioAccounts(environment.chain.mnemonic, STUDIO.keyIndex);
    await client.query(
      `INSERT INTO farm.studios (slug, name, currency, account, session_account, key_index)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [STUDIO.slug, STUDIO.name, STUDIO.currency, account, sessionAccount, STUDIO.keyIndex],
    );
    await ensureClientFile(client, environment);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    await client.end();
  }
}

/** The database holds only the key's hash, so a lost file means a new key. The URL changes with the port. */
async function ensureClientFile(client: pg.Client, environment: FarmEnvironment): Promise<void> {
  const path = join(environment.home, 'client.json');
  const existing = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ClientFile) : undefined;
  const key = existing?.key ?? `fw_${randomBytes(24).toString('base64url')}`;
  await client.query(
    `INSERT INTO farm.api_keys (studio_id, role, label, key_hash)
     SELECT id, 'td', 'first key of this farm', $2 FROM farm.studios WHERE slug = $1 ON CONFLICT (key_hash) DO NOTHING`,
    [STUDIO.slug, createHash('sha256').update(key).digest('hex')],
  );
  const file: ClientFile = { url: environment.api.url, key, studio: STUDIO.slug };
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
