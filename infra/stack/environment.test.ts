import { describe, expect, it } from 'vitest';
import { environmentVariables, REQUIRED_VARIABLES, readEnvironment } from './environment.ts';

const complete = {
  FARM_HOME: '/farm',
  FARM_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  FARM_S3_ENDPOINT: 'http://127.0.0.1:9000',
  FARM_S3_ACCESS_KEY: 'access',
  FARM_S3_SECRET_KEY: 'secret',
  FARM_DATABASE_URL_APP: 'postgres://app@127.0.0.1/farm',
  FARM_DATABASE_URL_SERVICE: 'postgres://service@127.0.0.1/farm',
  FARM_CHAIN_RPC: 'http://127.0.0.1:8545',
  FARM_CHAIN_MNEMONIC: 'test test test',
  FARM_DEPLOYMENT: '/farm/deployment.json',
  FARM_API_PORT: '8080',
  FARM_JOIN_TOKEN: 'join',
};

describe('readEnvironment', () => {
  it('reads what environmentVariables wrote', () => {
    const environment = readEnvironment(complete);
    expect(readEnvironment(environmentVariables(environment))).toEqual(environment);
    expect(environment.api.gatewayUrl).toBe('http://127.0.0.1:8080');
    expect(environment.database.owner).toBeUndefined();
  });

  it.each(REQUIRED_VARIABLES)('names %s when it is missing', (name) => {
    expect(() => readEnvironment({ ...complete, [name]: '' })).toThrow(
      expect.objectContaining({ code: 'SettingInvalid', message: expect.stringContaining(name) }),
    );
  });

  it.each(['0', '65536', '80a', '-1', '8e2'])('refuses the port %s', (port) => {
    expect(() => readEnvironment({ ...complete, FARM_API_PORT: port })).toThrow(
      expect.objectContaining({ code: 'SettingInvalid' }),
    );
  });
});
