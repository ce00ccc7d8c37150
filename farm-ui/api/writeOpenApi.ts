/**
 * Writes the API's description (`farm-ui/api/openapi.json`) and the types that clients are built on
 * (`cli/sdk/openapi.d.ts`). Run it after a change of schemas or routes:
 *
 *     npm run build && node dist/farm-ui/api/writeOpenApi.js
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { repositoryRoot } from '../../infra/stack/paths.ts';
import { describeApi } from './describe.ts';

const { json, document } = await describeApi();
writeFileSync(join(repositoryRoot, 'farm-ui', 'api', 'openapi.json'), json);
const types = astToString(await openapiTypescript(JSON.stringify(document)));
const banner = '/* Generated from farm-ui/api/openapi.json by farm-ui/api/writeOpenApi.ts. Do not edit. */\n';
writeFileSync(join(repositoryRoot, 'cli', 'sdk', 'openapi.d.ts'), banner + types);
