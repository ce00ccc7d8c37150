/** A job's invoice: as data, as PDF and CSV, and checked against chain, store and ledger. */
import { z } from 'zod';
import { invoiceCsv } from '../../../activities/settle/documents/invoiceCsv.ts';
import { invoicePdf } from '../../../activities/settle/documents/invoicePdf.ts';
import type { InvoiceStanding } from '../../../activities/settle/documents/standing.ts';
import { verifyInvoice } from '../../../activities/settle/verifyInvoice.ts';
import { FarmError } from '../../../domain/errors.ts';
import { isFinalJob } from '../../../domain/statuses.ts';
import { getInvoice } from '../../../ports/db/invoices.ts';
import type { InvoiceRow, JobRow } from '../../../ports/db/tables.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { requireStudio } from '../plugins/auth.ts';
import { problems } from '../plugins/openapi.ts';
import { invoice, verification } from '../schema/api.ts';
import { documentOf, readInvoiceView } from '../views/invoices.ts';
import { jobParams, requireJobById } from './jobs.ts';

export function addInvoices(api: Api, { database, stores, chain }: ApiDeps): void {
  api.get(
    '/v1/jobs/:id/invoice',
    {
      schema: {
        tags: ['invoices'],
        summary: 'The invoice, line by line down to the frame',
        params: jobParams,
        response: { 200: invoice, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'money');
      return database.withStudio(studioId, async (tx) => {
        const job = await requireJobById(tx, request.params.id);
        const view = await readInvoiceView(tx, job.id);
        if (!view) throw noInvoice(job);
        return view;
      });
    },
  );

  api.post(
    '/v1/jobs/:id/invoice/verify',
    {
      schema: {
        tags: ['invoices'],
        summary:
          "Check every line's proof against the chain and every frame's hash against the store; reads all frames",
        params: jobParams,
        response: { 200: verification, ...problems },
      },
    },
    async (request) => {
      const { studioId } = requireStudio(request, 'money');
      const job = await database.withStudio(studioId, (tx) => requireJobById(tx, request.params.id));
      return verifyInvoice({ database, stores, chain }, { studioId, jobId: job.id });
    },
  );

  /** The issued invoice for a document, and how it stands. */
  const issuedFor = async (
    studioId: string,
    jobId: string,
  ): Promise<{ row: InvoiceRow; standing: InvoiceStanding }> => {
    const issued = await database.withStudio(studioId, async (tx) => {
      const job = await requireJobById(tx, jobId);
      const found = await getInvoice(tx, job.id);
      if (!found) throw noInvoice(job);
      return found;
    });
    const { status, transactionHash: transaction } = issued.invoice;
    return { row: issued.invoice, standing: { status, transaction, proof: 'unchecked' } };
  };
  const fileHeaders = (contentType: string, number: string, ext: string): Record<string, string> => ({
    'content-type': contentType,
    'content-disposition': `attachment; filename="${number}.${ext}"`,
    'cache-control': 'private, no-cache',
  });

  api.get(
    '/v1/jobs/:id/invoice.pdf',
    {
      schema: {
        tags: ['invoices'],
        summary: 'The invoice as PDF',
        params: jobParams,
        response: {
          200: { description: 'PDF', content: { 'application/pdf': { schema: z.any() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { studioId } = requireStudio(request, 'money');
      const { row, standing } = await issuedFor(studioId, request.params.id);
      const bytes = await invoicePdf(documentOf(row), standing);
      return reply.headers(fileHeaders('application/pdf', row.number, 'pdf')).send(bytes);
    },
  );

  api.get(
    '/v1/jobs/:id/invoice.csv',
    {
      schema: {
        tags: ['invoices'],
        summary: 'The invoice as CSV, a row for each line or for each unit',
        params: jobParams,
        querystring: z.object({ detail: z.enum(['lines', 'units']).default('units') }),
        response: {
          200: { description: 'CSV', content: { 'text/csv': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { studioId } = requireStudio(request, 'money');
      const { row, standing } = await issuedFor(studioId, request.params.id);
      const text = invoiceCsv(documentOf(row), standing, request.query.detail);
      return reply
        .headers(fileHeaders('text/csv; charset=utf-8', row.number, 'csv'))
        .serializer((payload) => String(payload))
        .send(text);
    },
  );
}

/** Why there is none: what came from the frame cache, or was never rendered, costs nothing. */
function noInvoice({ id, status, stageSeconds, committedUnits, cachedUnits }: JobRow): FarmError {
  const isSettled = isFinalJob(status) || stageSeconds.settle !== undefined;
  if (!isSettled || committedUnits > 0)
    return new FarmError('NotFound', 'The job has no invoice yet; it comes when the job is settled.', { job: id });
  const frames = `all its frames (${cachedUnits}) came from the frame cache`;
  const message = `There is nothing to pay, so the job has no invoice: ${cachedUnits > 0 ? frames : 'nothing of it was rendered'}.`;
  return new FarmError('NothingToPay', message, { job: id, cachedFrames: cachedUnits });
}
