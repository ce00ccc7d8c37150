/**
 * Client of the farm's HTTP API for TypeScript: what the `farm` command and pipeline scripts use. Shapes come from the
 * API's own description (`openapi.d.ts` is generated from it).
 */
import { createParser } from 'eventsource-parser';
import { FarmApiError, type ProblemDocument, unreachable } from './errors.ts';
import type {
  DeliveryView,
  FarmInfo,
  FrameAddressesPage,
  FrameHeadsPage,
  FramePage,
  FrameUrls,
  FrameView,
  GarbageReport,
  GarbageRequest,
  InvoiceView,
  JobCheck,
  JobCreated,
  JobEventView,
  JobPage,
  JobRequest,
  JobView,
  MeView,
  MissingBlobs,
  NodeView,
  OutputsView,
  ProjectFilesView,
  SiteChange,
  SiteRequest,
  SiteView,
  StoreCheckReport,
  StoreCheckRequest,
  SubmittedBlob,
  VerificationView,
  WhyView,
} from './types.ts';

export interface FarmClientOptions {
  /** Address of the API, e.g. `http://127.0.0.1:7400`. */
  url: string;
  /** API key of a studio's member. */
  key: string;
}

interface RequestOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  /** Makes a POST safe to repeat. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** All methods throw `FarmApiError`, with code `StackNotRunning` when nobody answers at the address. */
export class FarmClient {
  readonly url: string;
  readonly #key: string;

  constructor({ url, key }: FarmClientOptions) {
    this.url = url.replace(/\/+$/, '');
    this.#key = key;
  }

  me = (): Promise<MeView> => this.#json('GET', '/v1/me');
  farm = (): Promise<FarmInfo> => this.#json('GET', '/v1/farm');

  /** Refuses what would be refused of a submission, before its files are read. Nothing is kept. */
  checkJob = (job: JobCheck): Promise<void> => this.#json('POST', '/v1/jobs/check', { body: job });
  /** Which of at most a thousand blobs the store lacks, with addresses to put them. */
  missingBlobs = (blobs: SubmittedBlob[]): Promise<MissingBlobs> =>
    this.#json('POST', '/v1/blobs/missing', { body: { blobs } });
  /** Checks a submission and says which blobs the store lacks. Nothing is spent. */
  createJob = (job: JobRequest): Promise<JobCreated> => this.#json('POST', '/v1/jobs', { body: job });
  /** After the uploads: inspects, calibrates on a node, quotes. May take some seconds. */
  prepareJob = (id: string): Promise<JobView> => this.#json('POST', `/v1/jobs/${id}/prepare`);
  /** Takes the quote: deposits `cap` (default: the suggested one) and starts rendering. */
  acceptJob = (id: string, cap?: string): Promise<JobView> =>
    this.#json('POST', `/v1/jobs/${id}/accept`, { body: { cap }, idempotencyKey: `accept-${id}` });
  /** Refuses the quote; what the submission brought is deleted. */
  declineJob = (id: string): Promise<void> => this.#json('POST', `/v1/jobs/${id}/decline`);
  pauseJob = (id: string): Promise<JobView> => this.#json('POST', `/v1/jobs/${id}/pause`);
  resumeJob = (id: string): Promise<JobView> => this.#json('POST', `/v1/jobs/${id}/resume`);
  cancelJob = (id: string): Promise<JobView> => this.#json('POST', `/v1/jobs/${id}/cancel`);
  raiseCap = (id: string, cap: string): Promise<JobView> =>
    this.#json('POST', `/v1/jobs/${id}/raise-cap`, { body: { cap } });

  job = (id: string): Promise<JobView> => this.#json('GET', `/v1/jobs/${id}`);
  jobs = (query: { cursor?: string; limit?: number; status?: string } = {}): Promise<JobPage> =>
    this.#json('GET', '/v1/jobs', { query });
  why = (id: string): Promise<WhyView> => this.#json('GET', `/v1/jobs/${id}/why`);
  outputs = (id: string): Promise<OutputsView> => this.#json('GET', `/v1/jobs/${id}/outputs`);
  /** One page of the files that a job renders from, with addresses for an hour. */
  projectFiles = (id: string, cursor?: string): Promise<ProjectFilesView> =>
    this.#json('GET', `/v1/jobs/${id}/files`, { query: { cursor, limit: 1000 } });
  /** Where committed frames lie, for at most 200 of them; frames that the job has not got are left out. */
  frameAddresses = (id: string, unitIds: string[]): Promise<FrameAddressesPage> =>
    this.#json('POST', `/v1/jobs/${id}/frames/urls`, { body: { unitIds } });
  /** The first quarter of frames that are being judged, for at most 200 of them; others are left out. */
  frameHeads = (id: string, unitIds: string[]): Promise<FrameHeadsPage> =>
    this.#json('POST', `/v1/jobs/${id}/frames/heads`, { body: { unitIds } });
  /** Says that these frames arrived, by unit and hash of the EXR; at most 1,000 at once. Said again, nothing changes. */
  acknowledge = (id: string, frames: { unitId: string; hash: string }[]): Promise<DeliveryView> =>
    this.#json('POST', `/v1/jobs/${id}/deliveries`, { body: { frames } });
  frameUrls = (id: string, unitId: string): Promise<FrameUrls> =>
    this.#json('GET', `/v1/jobs/${id}/frames/${unitId}/urls`);
  nodes = async (): Promise<NodeView[]> => (await this.#json<{ items: NodeView[] }>('GET', '/v1/nodes')).items;
  sites = async (): Promise<SiteView[]> => (await this.#json<{ items: SiteView[] }>('GET', '/v1/sites')).items;
  /** Operators only; the store is reached before anything is kept. */
  addSite = (site: SiteRequest): Promise<SiteView> => this.#json('POST', '/v1/sites', { body: site });
  changeSite = (name: string, change: SiteChange): Promise<SiteView> =>
    this.#json('PATCH', `/v1/sites/${encodeURIComponent(name)}`, { body: change });

  /** Operators only: removes what nothing names from all stores. */
  collectGarbage = (request: GarbageRequest): Promise<GarbageReport> =>
    this.#json('POST', '/v1/store/gc', { body: request });

  /** Operators only: one round of reading what should be stored. */
  checkStores = (request: StoreCheckRequest): Promise<StoreCheckReport> =>
    this.#json('POST', '/v1/store/check', { body: request });

  /** All frames of a job (of one status), page by page. */
  async *frames(id: string, status?: FrameView['status']): AsyncGenerator<FrameView> {
    let cursor: string | undefined;
    do {
      const page: FramePage = await this.#json('GET', `/v1/jobs/${id}/frames`, {
        query: { cursor, limit: 500, status },
      });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  invoice = (id: string): Promise<InvoiceView> => this.#json('GET', `/v1/jobs/${id}/invoice`);
  verifyInvoice = (id: string): Promise<VerificationView> => this.#json('POST', `/v1/jobs/${id}/invoice/verify`);
  /** The invoice as a document. */
  async invoiceDocument(id: string, format: 'pdf' | 'csv'): Promise<Uint8Array> {
    const response = await this.#send('GET', `/v1/jobs/${id}/invoice.${format}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /**
   * A job's events from `after` on, as they happen, until `signal` aborts or the loop is left: deliveries are told after a
   * job's end, too. A broken connection is taken up again where it broke.
   */
  async *events(id: string, { after = 0, signal }: { after?: number; signal?: AbortSignal } = {}) {
    let last = after;
    let failures = 0;
    while (!signal?.aborted) {
      try {
        for await (const event of this.#eventStream(id, last, signal)) {
          failures = 0;
          if (event.seq > last) last = event.seq;
          yield event;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof FarmApiError && error.status !== 0 && error.status < 500) throw error;
        failures += 1;
        if (failures > 20) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(2000, 100 * 2 ** failures)));
    }
  }

  async *#eventStream(id: string, after: number, signal?: AbortSignal): AsyncGenerator<JobEventView> {
    const response = await this.#send('GET', `/v1/jobs/${id}/events`, {
      ...(signal ? { signal } : {}),
      headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
    });
    if (!response.body) return;
    const ready: JobEventView[] = [];
    const parser = createParser({ onEvent: (event) => ready.push(JSON.parse(event.data) as JobEventView) });
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      yield* ready.splice(0);
    }
  }

  async #json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.#send(method, path, options);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async #send(
    method: string,
    path: string,
    options: RequestOptions & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${this.#key}`, ...options.headers };
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    if (options.idempotencyKey) headers['idempotency-key'] = options.idempotencyKey;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      throw unreachable(this.url, error);
    }
    if (response.ok) return response;
    throw new FarmApiError(await problemOf(response));
  }
}

async function problemOf(response: Response): Promise<ProblemDocument> {
  const text = await response.text();
  try {
    return JSON.parse(text) as ProblemDocument;
  } catch {
    return {
      code: 'Internal',
      detail: `The API answered ${response.status}: ${text.slice(0, 200)}`,
      place: {},
      remedy: 'Look at the log of the API ("farm doctor").',
      status: response.status,
    };
  }
}
