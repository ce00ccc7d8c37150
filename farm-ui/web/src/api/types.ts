/**
 * What the HTTP API answers, as the page reads it. Mirrors the OpenAPI description; money is a decimal string of token
 * base units, times are ISO 8601.
 */

export const STAGES = ['intake', 'plan', 'render', 'verify', 'assemble', 'settle'] as const;
export type Stage = (typeof STAGES)[number];

export type JobStatus =
  | 'uploading'
  | 'preparing'
  | 'quoted'
  | 'active'
  | 'paused'
  | 'stopping'
  | 'completed'
  | 'cancelled'
  | 'failed'
  | 'expired';

export type UnitStatus =
  | 'planned'
  | 'offered'
  | 'leased'
  | 'uploaded'
  | 'verified'
  | 'committed'
  | 'failed'
  | 'cancelled';

/** problem+json (RFC 9457) with the farm's catalogue: code, place, remedy, whose fault. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail: string;
  code: string;
  place: Record<string, unknown>;
  remedy: string;
  fault: 'user' | 'system';
  retryable: boolean;
}

export interface Token {
  symbol: string;
  decimals: number;
  address: string;
  chainId: number;
}

export interface Warning {
  code: string;
  message: string;
}

export interface SubmittedFile {
  path: string;
  sizeBytes: number;
  hash: string;
}

export interface JobRequest {
  name: string;
  main: string;
  files: SubmittedFile[];
  frames?: string;
  fps?: number;
  start?: number;
  camera?: string;
  width?: number;
  height?: number;
  samples?: number;
  maxDepth?: number;
  seed?: number;
  denoise?: boolean;
  exposure?: number;
  template?: string;
  priority?: number;
  cap?: string;
}

export interface MissingBlob {
  hash: string;
  url: string;
  headers: Record<string, string>;
}

export interface JobCreated {
  id: string;
  missing: MissingBlob[];
}

export interface Quote {
  total: string;
  unitPrice: string;
  units: number;
  suggestedCap: string;
  token: Token;
  currency: string;
  totalCents: number;
  centsPerTokenE6: number;
  secondsPerFrame: number;
  estimatedSeconds: number;
  pricePerFbh: string;
  expiresAt: string;
}

export interface StageProgress {
  stage: Stage;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  fraction: number;
  seconds: number | null;
}

export interface FrameCounts {
  total: number;
  committed: number;
  rendering: number;
  failed: number;
  billed: number;
}

/** What intake saw in the scene. */
export interface Inspection {
  generator: string | null;
  cameras: { name: string; animated: boolean }[];
  durationSeconds: number;
  triangles: number;
  instancedTriangles: number;
  meshes: number;
  materials: number;
  lights: number;
  hasEnvironment: boolean;
  textures: { name: string }[];
  textureBytes: number;
}

export interface Job {
  id: string;
  name: string;
  version: number | null;
  status: JobStatus;
  stage: Stage;
  stages: StageProgress[];
  pauseReason: 'user' | 'budget' | null;
  problem: Partial<Problem> | null;
  frames: FrameCounts;
  frameRange: string;
  width: number;
  height: number;
  samples: number;
  fps: number;
  template: string;
  priority: number;
  cap: string;
  reserved: string;
  spent: string;
  currency: string;
  spentCents: number;
  quote: Quote | null;
  warnings: Warning[];
  /** Shown where the API sends it. */
  inspection?: Inspection | null;
  createdAt: string;
  acceptedAt: string | null;
  endedAt: string | null;
  estimatedEndAt: string | null;
  eventSeq: number;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface Frame {
  unitId: string;
  frame: number;
  take: number;
  tile: number;
  layer: string;
  status: UnitStatus;
  node: string | null;
  price: string;
  renderSeconds: number | null;
  name: string;
  exr: { hash: string; sizeBytes: number } | null;
  preview: { hash: string; sizeBytes: number } | null;
  warnings: Warning[];
  refusals: { at: string; node: string; code: string; message: string }[];
  committedAt: string | null;
}

export interface DownloadUrl {
  url: string;
  hash: string;
  sizeBytes: number;
  name: string;
}

export interface FrameUrls {
  exr: DownloadUrl | null;
  preview: DownloadUrl | null;
}

export interface Outputs {
  manifest: DownloadUrl | null;
  film: DownloadUrl | null;
  contactSheet: DownloadUrl | null;
}

export interface FarmNode {
  id: string;
  name: string;
  site: string;
  account: string;
  status: 'online' | 'offline' | 'draining' | 'left';
  tier: string;
  device: string;
  threads: number;
  memoryBytes: number;
  score: number;
  engineBuild: string;
  lastSeenAt: string;
  working: boolean;
}

export interface InvoiceLine {
  line: number;
  node: string;
  nodeAccount: string;
  chunk: number;
  frames: string;
  units: { unitId: string; frame: number; take: number; tile: number; amount: string; exrHash: string }[];
  amount: string;
  netCents: number;
  salt: string;
  leaf: string;
  proof: string[];
}

export interface Invoice {
  number: string;
  issuedAt: string;
  status: 'issued' | 'posted' | 'paid';
  jobId: string;
  jobName: string;
  seller: Record<string, unknown>;
  buyer: Record<string, unknown>;
  lines: InvoiceLine[];
  total: string;
  deposited: string;
  refunded: string;
  currency: string;
  netCents: number;
  taxBasisPoints: number;
  taxCents: number;
  grossCents: number;
  centsPerTokenE6: number;
  rateAt: string;
  token: Token;
  settlement: string;
  root: string;
  transaction: string | null;
}

export interface Verification {
  ok: boolean;
  checks: { name: string; ok: boolean; detail: string }[];
  lines: { line: number; proof: boolean; frames: boolean; detail: string }[];
}

export interface Why {
  reasons: { code: string; message: string; remedy: string }[];
}

export interface FarmInfo {
  version: string;
  nodesOnline: number;
  currency: string;
  pricePerFbh: string;
  token: Token;
}

export interface Me {
  role: 'artist' | 'td' | 'finance' | 'operator' | 'node';
  studio: { id: string; slug: string; name: string; currency: string; account: string } | null;
  balance: string | null;
}
