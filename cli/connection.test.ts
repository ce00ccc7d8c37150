import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connection } from './connection.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'framewright-connection-'));
  await writeFile(
    join(home, 'client.json'),
    JSON.stringify({ url: 'http://127.0.0.1:7400', key: 'fw_own', studio: 's' }),
  );
  vi.stubEnv('FARM_HOME', home);
  vi.stubEnv('FARM_URL', '');
  vi.stubEnv('FARM_KEY', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

it('sends the key of a farm to that farm alone', () => {
  expect(connection()).toEqual({ url: 'http://127.0.0.1:7400', key: 'fw_own' });
  vi.stubEnv('FARM_URL', 'http://127.0.0.1:7400/');
  expect(connection().key).toBe('fw_own');
  vi.stubEnv('FARM_URL', 'https://elsewhere.example');
  expect(connection).toThrow(expect.objectContaining({ code: 'Unauthenticated' }));
  vi.stubEnv('FARM_KEY', 'fw_other');
  expect(connection()).toEqual({ url: 'https://elsewhere.example', key: 'fw_other' });
});

it('names an address that is none', () => {
  vi.stubEnv('FARM_URL', 'farm');
  expect(connection).toThrow(expect.objectContaining({ code: 'SettingInvalid' }));
});
