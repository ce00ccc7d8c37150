/** The API's own description, OpenAPI 3.1, out of the same schemas that validate it. */
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Api } from '../deps.ts';
import * as schema from '../schema/api.ts';
import { delivery, deliveryNote } from '../schema/delivery.ts';
import { renderSettings } from '../schema/settings.ts';
import { placement, site, siteChange, siteRequest } from '../schema/sites.ts';
import { checkReport, checkRequest, garbageReport, garbageRequest } from '../schema/store.ts';
import { LONGEST_KEY } from './idempotency.ts';

/** Names under which shapes stand in the description and in clients generated from it. */
const NAMES: [string, z.ZodType][] = [
  ['SubmittedFile', schema.submittedFile],
  ['Blob', schema.blob],
  ['FilePart', schema.filePart],
  ['JobRequest', schema.jobRequest],
  ['JobCheck', schema.jobCheck],
  ['MissingRequest', schema.missingRequest],
  ['MissingBlobs', schema.missingBlobs],
  ['MissingBlob', schema.missingBlob],
  ['JobCreated', schema.jobCreated],
  ['Quote', schema.quote],
  ['Problem', schema.problem],
  ['StageProgress', schema.stageProgress],
  ['FrameCounts', schema.frameCounts],
  ['RenderSettings', renderSettings],
  ['Job', schema.job],
  ['JobPage', schema.jobPage],
  ['Frame', schema.frame],
  ['FramePage', schema.framePage],
  ['DownloadUrl', schema.downloadUrl],
  ['FrameUrls', schema.frameUrls],
  ['FrameAddressesPage', schema.frameAddressesPage],
  ['FrameHeadsPage', schema.frameHeadsPage],
  ['ProjectFiles', schema.projectFiles],
  ['Outputs', schema.outputs],
  ['JobEvent', schema.jobEvent],
  ['Node', schema.node],
  ['NodeList', schema.nodeList],
  ['InvoiceUnit', schema.invoiceUnit],
  ['InvoiceLine', schema.invoiceLine],
  ['Invoice', schema.invoice],
  ['Verification', schema.verification],
  ['Why', schema.why],
  ['Delivery', delivery],
  ['DeliveryNote', deliveryNote],
  ['Placement', placement],
  ['Site', site],
  ['SiteRequest', siteRequest],
  ['SiteChange', siteChange],
  ['GarbageRequest', garbageRequest],
  ['GarbageReport', garbageReport],
  ['StoreCheckRequest', checkRequest],
  ['StoreCheckReport', checkReport],
  ['FarmInfo', schema.farmInfo],
  ['Me', schema.me],
];

/** Of every POST that a studio sends: `idempotency.ts` takes it beside what the route's schema says. */
const IDEMPOTENCY_KEY = {
  ...{ type: 'string', minLength: 1, maxLength: LONGEST_KEY },
  description: 'The same request with the same key happens once; a repetition gets the first answer.',
};

const describeRoute: typeof jsonSchemaTransform = (route) => {
  const described = jsonSchemaTransform(route);
  const takesKey = route.route.method === 'POST' && route.schema.security === undefined;
  if (!takesKey) return described;
  const headers = { type: 'object', properties: { 'Idempotency-Key': IDEMPOTENCY_KEY } };
  return { ...described, schema: { ...described.schema, headers } };
};

/** Comes before the routes: it listens to their registration. */
export async function addOpenApi(api: Api, version: string): Promise<void> {
  for (const [id, shape] of NAMES) {
    if (!z.globalRegistry.has(shape)) z.globalRegistry.add(shape, { id });
  }
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Framewright',
        version,
        description:
          'Offline film and VFX rendering. A submission becomes a job in three calls (create, prepare, accept), so that ' +
          'nothing is spent or kept before its owner agrees. Errors are problem+json (RFC 9457) with a code, the place, ' +
          'and a remedy. POSTs honour Idempotency-Key. Money is a decimal string of token base units.',
      },
      tags: [
        { name: 'jobs', description: 'Submit, quote, accept, watch and steer' },
        { name: 'frames', description: 'What was rendered' },
        { name: 'invoices', description: 'What it cost, down to the frame, with proofs' },
        { name: 'farm', description: 'Nodes, prices, yourself' },
      ],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key' },
          session: { type: 'apiKey', in: 'cookie', name: 'framewright', description: "The page's session" },
        },
      },
      security: [{ key: [] }, { session: [] }],
    },
    transform: describeRoute,
    transformObject: jsonSchemaTransformObject,
  });
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger());
}

/** Answers that every route may give. */
export const problems = { '4xx': schema.problem, '5xx': schema.problem } as const;
