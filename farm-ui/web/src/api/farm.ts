/** The API's routes by what they are for. Nothing else in the page spells a path. */
import { request } from './client.ts';
import type {
  FarmInfo,
  FarmNode,
  Frame,
  Invoice,
  Job,
  JobCreated,
  JobRequest,
  Me,
  Outputs,
  Page,
  Site,
  SiteChange,
  Verification,
  Why,
} from './types.ts';

const query = (values: Record<string, string | number | null | undefined>): string => {
  const set = Object.entries(values).filter((entry) => entry[1] !== null && entry[1] !== undefined && entry[1] !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set.map(([key, value]) => [key, String(value)]))}`;
};

export const farm = {
  signIn: (key: string) => request<unknown>('POST', '/v1/session', { key }),
  signOut: () => request<unknown>('DELETE', '/v1/session'),
  me: () => request<Me>('GET', '/v1/me'),
  info: () => request<FarmInfo>('GET', '/v1/farm'),
  sites: () => request<{ items: Site[] }>('GET', '/v1/sites'),
  /** Operators only. */
  changeSite: (name: string, change: SiteChange) =>
    request<Site>('PATCH', `/v1/sites/${encodeURIComponent(name)}`, change),
  nodes: () => request<{ items: FarmNode[] }>('GET', '/v1/nodes'),

  jobs: (cursor: string | null, limit: number) => request<Page<Job>>('GET', `/v1/jobs${query({ cursor, limit })}`),
  job: (id: string) => request<Job>('GET', `/v1/jobs/${id}`),
  createJob: (job: JobRequest) => request<JobCreated>('POST', '/v1/jobs', job),
  prepareJob: (id: string) => request<Job>('POST', `/v1/jobs/${id}/prepare`, {}),
  acceptQuote: (id: string, cap: string) => request<Job>('POST', `/v1/jobs/${id}/accept`, { cap }),
  declineQuote: (id: string) => request<undefined>('POST', `/v1/jobs/${id}/decline`, {}),
  pauseJob: (id: string) => request<Job>('POST', `/v1/jobs/${id}/pause`, {}),
  resumeJob: (id: string) => request<Job>('POST', `/v1/jobs/${id}/resume`, {}),
  cancelJob: (id: string) => request<Job>('POST', `/v1/jobs/${id}/cancel`, {}),
  raiseCap: (id: string, cap: string) => request<Job>('POST', `/v1/jobs/${id}/raise-cap`, { cap }),
  why: (id: string) => request<Why>('GET', `/v1/jobs/${id}/why`),

  frames: (id: string, cursor: string | null, limit: number) =>
    request<Page<Frame>>('GET', `/v1/jobs/${id}/frames${query({ cursor, limit })}`),
  outputs: (id: string) => request<Outputs>('GET', `/v1/jobs/${id}/outputs`),

  invoice: (id: string) => request<Invoice>('GET', `/v1/jobs/${id}/invoice`),
  verifyInvoice: (id: string) => request<Verification>('POST', `/v1/jobs/${id}/invoice/verify`, {}),
};

/** Addresses that the browser opens by itself (pictures, downloads, event streams); the session cookie goes along. */
export const addresses = {
  /** Null while a frame has none. `width`: pixels, for sites that can send it smaller; whole otherwise. */
  preview: (id: string, frame: { unitId: string | null; preview: string | null } | null, width?: number) =>
    frame?.unitId && frame.preview
      ? `/v1/jobs/${id}/frames/${frame.unitId}/preview?h=${frame.preview.slice(0, 12)}${width ? `&width=${width}` : ''}`
      : null,
  exr: (id: string, unitId: string) => `/v1/jobs/${id}/frames/${unitId}/exr`,
  picture: (id: string, unitId: string) => `/v1/jobs/${id}/frames/${unitId}/picture`,
  film: (id: string) => `/v1/jobs/${id}/outputs/film`,
  contactSheet: (id: string) => `/v1/jobs/${id}/outputs/contact-sheet`,
  invoicePdf: (id: string) => `/v1/jobs/${id}/invoice.pdf`,
  invoiceCsv: (id: string) => `/v1/jobs/${id}/invoice.csv`,
  jobEvents: (id: string, after: number) => `/v1/jobs/${id}/events?after=${after}`,
  allEvents: () => '/v1/events',
  siteEvents: () => '/v1/sites/events',
};
