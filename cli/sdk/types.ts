/** The API's shapes by name, generated from its own description. */
import type { components } from './openapi.d.ts';

type Schemas = components['schemas'];

export type MeView = Schemas['Me'];
export type FarmInfo = Schemas['FarmInfo'];
export type JobRequest = Schemas['JobRequest'];
export type JobCheck = Schemas['JobCheck'];
export type SubmittedFile = Schemas['SubmittedFile'];
export type SubmittedBlob = Schemas['Blob'];
export type MissingBlob = Schemas['MissingBlob'];
export type MissingBlobs = Schemas['MissingBlobs'];
export type JobCreated = Schemas['JobCreated'];
export type JobView = Schemas['Job'];
export type JobPage = Schemas['JobPage'];
export type FrameView = Schemas['Frame'];
export type FramePage = Schemas['FramePage'];
export type FrameUrls = Schemas['FrameUrls'];
export type FrameAddressesPage = Schemas['FrameAddressesPage'];
export type FrameAddresses = FrameAddressesPage['items'][number];
export type FrameHeadsPage = Schemas['FrameHeadsPage'];
/** The first quarter of a frame, and the address of the second. */
export type JudgedFrame = FrameHeadsPage['items'][number];
/** The first quarter of a frame of which there may be no more yet. */
export type FrameHead = Omit<JudgedFrame, 'nextUrl'>;
export type DeliveryView = Schemas['Delivery'];
export type DownloadUrl = Schemas['DownloadUrl'];
export type ProjectFilesView = Schemas['ProjectFiles'];
export type OutputsView = Schemas['Outputs'];
export type JobEventView = Schemas['JobEvent'];
export type NodeView = Schemas['Node'];
export type SiteView = Schemas['Site'];
export type SiteRequest = Schemas['SiteRequest'];
export type SiteChange = Schemas['SiteChange'];
export type GarbageRequest = Schemas['GarbageRequest'];
export type GarbageReport = Schemas['GarbageReport'];
export type StoreCheckRequest = Schemas['StoreCheckRequest'];
export type StoreCheckReport = Schemas['StoreCheckReport'];
export type InvoiceView = Schemas['Invoice'];
export type VerificationView = Schemas['Verification'];
export type WhyView = Schemas['Why'];
