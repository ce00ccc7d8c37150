import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { describeApi } from './describe.ts';

const UPDATE = 'run "npm run build && node dist/farm-ui/api/writeOpenApi.js"';
const read = (...path: string[]) => readFileSync(join(repositoryRoot, ...path), 'utf8');

describe('the description of the API', () => {
  it('is what the repository holds', async () => {
    const { json } = await describeApi();
    expect(read('farm-ui', 'api', 'openapi.json') === json, UPDATE).toBe(true);
  });

  it('is what the client types were generated from', async () => {
    const { document } = await describeApi();
    const types = astToString(await openapiTypescript(JSON.stringify(document)));
    expect(read('cli', 'sdk', 'openapi.d.ts').endsWith(types), UPDATE).toBe(true);
  });

  it('says OpenAPI 3.1, how to authenticate, and a problem for every route', async () => {
    const { document } = await describeApi();
    expect(document.openapi).toBe('3.1.0');
    expect(document.components).toMatchObject({ securitySchemes: { key: { scheme: 'bearer' } } });
    const paths = document.paths as Record<string, Record<string, { responses: Record<string, unknown> }>>;
    expect(Object.keys(paths)).toContain('/v1/jobs/{id}/prepare');
    expect(Object.keys(paths).every((path) => path.startsWith('/v1/'))).toBe(true);
    const without = Object.entries(paths).flatMap(([path, verbs]) =>
      Object.entries(verbs)
        .filter(([, { responses }]) => !('4XX' in responses || '4xx' in responses))
        .map(([verb]) => `${verb} ${path}`),
    );
    expect(without).toEqual(['delete /v1/session']);
  });

  it('says where an Idempotency-Key counts: with POSTs of a studio', async () => {
    const { document } = await describeApi();
    const paths = document.paths as Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    const taking = Object.entries(paths).flatMap(([path, verbs]) =>
      Object.entries(verbs)
        .filter(([, { parameters = [] }]) =>
          parameters.some((one) => one.in === 'header' && one.name === 'Idempotency-Key'),
        )
        .map(([verb]) => `${verb} ${path}`),
    );
    const posts = Object.keys(paths).filter((path) => 'post' in paths[path]! && path !== '/v1/session');
    expect(taking.sort()).toEqual(posts.map((path) => `post ${path}`).sort());
    expect(taking).toContain('post /v1/jobs');
  });
});
