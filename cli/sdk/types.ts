/** The API's shapes by name. */
import type { z } from 'zod';
import type * as api from '../../farm-ui/api/schema/api.ts';

export type MeView = z.infer<typeof api.me>;
export type FarmInfo = z.infer<typeof api.farmInfo>;
export type JobRequest = z.infer<typeof api.jobRequest>;
export type JobCreated = z.infer<typeof api.jobCreated>;
export type JobView = z.infer<typeof api.job>;
export type JobPage = z.infer<typeof api.jobPage>;
export type QuoteView = z.infer<typeof api.quote>;
export type FrameView = z.infer<typeof api.frame>;
export type FramePage = z.infer<typeof api.framePage>;
export type FrameUrls = z.infer<typeof api.frameUrls>;
export type DownloadUrl = z.infer<typeof api.downloadUrl>;
export type OutputsView = z.infer<typeof api.outputs>;
export type JobEventView = z.infer<typeof api.jobEvent>;
export type NodeView = z.infer<typeof api.node>;
export type InvoiceView = z.infer<typeof api.invoice>;
export type VerificationView = z.infer<typeof api.verification>;
export type WhyView = z.infer<typeof api.why>;
