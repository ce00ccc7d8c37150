/**
 * The one error catalogue. Workflows, CLI, API and pages speak these codes; each says whose fault it is, whether a retry
 * can help, and what to do next.
 */

/** Who has to act: the person who submitted, or the people who run the farm. */
export type Fault = 'user' | 'system';

interface CatalogueEntry {
  fault: Fault;
  /** Whether doing the same again may succeed (on another node, or later). */
  retryable: boolean;
  /** HTTP status of the problem+json answer. */
  status: number;
  /** Exit code of the `farm` command. */
  exitCode: number;
  /** What to do next, for people. */
  remedy: string;
}

const entry = (fault: Fault, retryable: boolean, status: number, exitCode: number, remedy: string): CatalogueEntry => ({
  fault,
  retryable,
  status,
  exitCode,
  remedy,
});

/** Exit codes: 2 usage, 3 scene or asset, 4 money, 5 not found or forbidden, 6 farm not reachable, 7 job failed, 8 conflict, 130 cancelled, 1 the rest. */
export const ERROR_CATALOGUE = {
  // What a person typed or uploaded
  FileNotFound: entry('user', false, 400, 3, 'Check the path; relative paths start at the current folder.'),
  FileEmpty: entry('user', false, 422, 3, 'Export the file again; it holds no bytes.'),
  SceneInvalid: entry(
    'user',
    false,
    422,
    3,
    'Export the scene again and open it in a glTF viewer to see that it is whole.',
  ),
  SceneAmbiguous: entry('user', false, 422, 3, 'Name the scene file instead of its folder.'),
  EnvironmentInvalid: entry('user', false, 422, 3, 'Save the environment again, as Radiance .hdr or OpenEXR.'),
  SceneUnsupported: entry('user', false, 422, 3, 'Export without the named feature, or as .glb/.gltf.'),
  AssetMissing: entry('user', false, 422, 3, 'Upload the whole folder, with the named file in it.'),
  CameraUnknown: entry(
    'user',
    false,
    422,
    2,
    'Use one of the cameras that the inspection lists, or leave --camera out.',
  ),
  FrameRangeInvalid: entry('user', false, 422, 2, 'Write ranges as 1-100, 1-100x2 or 1-10,20,30-40x5.'),
  FrameRangeTooLarge: entry('user', false, 422, 2, 'Split the job; one job holds at most 100,000 frames.'),
  ResolutionInvalid: entry('user', false, 422, 2, 'Write the resolution as 1920x1080, each side from 1 to 16384.'),
  SettingInvalid: entry('user', false, 422, 2, 'Correct the named setting.'),
  TemplateInvalid: entry(
    'user',
    false,
    422,
    2,
    'Use letters, digits, "._-/" and {shot} {layer} {version} {frame:04} {ext}; {frame} and {ext} must occur.',
  ),
  NameInvalid: entry(
    'user',
    false,
    422,
    2,
    'Rename the file; names stay inside the project and hold no control characters.',
  ),
  PlacementImpossible: entry(
    'user',
    false,
    422,
    2,
    'Look at the sites ("farm site list"), and pin the job to some that are there, or to none.',
  ),
  RequestInvalid: entry('user', false, 400, 2, 'Correct the named field.'),
  // Money
  CapTooSmall: entry(
    'user',
    false,
    422,
    4,
    'Raise --cap to at least the price of one frame, or lower samples or resolution.',
  ),
  BudgetExceeded: entry('user', false, 409, 4, 'Raise the cap of the job; it goes on from where it paused.'),
  QuoteExpired: entry('user', false, 409, 4, 'Ask for a new quote.'),
  QuoteTaken: entry('user', false, 409, 4, 'This quote was accepted before; look at the job it names.'),
  FundsMissing: entry('user', false, 402, 4, "Bring CMP to the studio's account, then accept the quote again."),
  NothingToPay: entry('user', false, 404, 5, 'Nothing to do: what costs nothing has no invoice.'),
  // Who may see what
  Unauthenticated: entry('user', false, 401, 5, 'Send a valid key as "Authorization: Bearer …".'),
  Forbidden: entry('user', false, 403, 5, 'Ask someone with the named role.'),
  NotWritable: entry('user', false, 403, 5, 'Get the right to write there, or name another folder.'),
  JobNotFound: entry('user', false, 404, 5, 'List the jobs with "farm jobs".'),
  NotFound: entry('user', false, 404, 5, 'Check the id.'),
  // Doing things at the wrong time
  JobStateConflict: entry('user', false, 409, 8, 'Look at the job first; it is not in a state that allows this.'),
  FramesWouldBeLost: entry(
    'user',
    false,
    409,
    8,
    'Have the studios fetch them ("farm pull JOB"), or give them up for good ("farm site remove SITE --force").',
  ),
  IdempotencyConflict: entry('user', false, 409, 8, 'Use a new Idempotency-Key for a different request.'),
  UploadIncomplete: entry('user', true, 409, 8, 'Upload the blobs that the answer names, then try again.'),
  TargetBusy: entry('user', true, 409, 8, 'Wait until the process named has ended, or name another place.'),
  HashMismatch: entry('user', true, 422, 8, 'The bytes differ from the announced hash; send the file again.'),
  // Nodes
  LeaseLost: entry('system', true, 409, 1, 'Nothing to do: the chunk was offered again.'),
  UnitAlreadyCommitted: entry('system', false, 409, 1, 'Nothing to do: the frame is there, and it is billed once.'),
  NodeBlocked: entry('system', true, 403, 1, 'Look at why the node failed this job ("farm logs").'),
  NodeNotRegistered: entry('system', false, 401, 5, 'Join the node first.'),
  FrameRefused: entry(
    'system',
    true,
    422,
    1,
    'The frame is rendered again elsewhere; the reason is kept with the attempt.',
  ),
  RenderFailed: entry('system', true, 500, 7, 'Read the log of the attempt ("farm logs JOB").'),
  HeartbeatLost: entry('system', true, 504, 1, 'Nothing to do: the chunk was offered again.'),
  SceneTooLarge: entry('user', false, 422, 3, 'Reduce textures or triangles, or add a node with more memory.'),
  OutOfMemory: entry('system', true, 507, 1, 'Add a node with more memory.'),
  GpuMissing: entry(
    'system',
    true,
    503,
    6,
    'Use a machine with a GPU and its driver, or another tier or technique; what is missing is in the message.',
  ),
  GpuLost: entry('system', true, 503, 1, 'Nothing to do: the work is done again, here or on another node.'),
  // The job as a whole
  TooManyFailures: entry(
    'system',
    false,
    500,
    7,
    'Read the reasons ("farm why JOB"), mend the scene or the nodes, and submit again.',
  ),
  Cancelled: entry('user', false, 409, 130, 'Nothing to do: the job was cancelled; what was committed stays yours.'),
  // The farm
  StackNotRunning: entry('system', true, 503, 6, 'Start the farm with "npm start" or "farm up".'),
  ServiceFailed: entry('system', true, 503, 6, 'Run "farm doctor" to see which service is down and why.'),
  PinnedSiteAway: entry(
    'system',
    true,
    503,
    6,
    'Look at the sites ("farm site list"); submit again when one of them is back, or with another pin.',
  ),
  PortTaken: entry('system', false, 503, 6, 'Stop the program on that port or set another.'),
  DiskFull: entry('system', true, 507, 6, 'Free space on the disk named.'),
  BinaryMissing: entry('system', false, 503, 6, 'Install the named program or set its path in the environment.'),
  PlatformUnsupported: entry(
    'system',
    false,
    501,
    6,
    'Use Linux or macOS on x86-64 or arm64 with Node 20.19 or later.',
  ),
  StoreFailed: entry('system', true, 502, 1, 'Look at the object store ("farm doctor").'),
  ChainFailed: entry('system', true, 502, 1, 'Look at the chain ("farm doctor").'),
  ChainMismatch: entry(
    'system',
    false,
    500,
    4,
    'Stop settling and compare ledger and chain ("farm invoice JOB --verify").',
  ),
  LedgerUnbalanced: entry('system', false, 500, 4, 'Stop settling; a posting does not sum to zero.'),
  Internal: entry('system', true, 500, 1, 'Report this with the log line; it is a defect.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** Where exactly: a field, file, offset, frame. Shown to people and kept with attempts. */
export type ErrorPlace = Record<string, string | number | boolean | null>;

/** The one error class. `message` says what is wrong here; code, place and remedy say the rest. */
export class FarmError extends Error {
  override readonly name = 'FarmError';
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.place = place;
  }

  get fault(): Fault {
    return ERROR_CATALOGUE[this.code].fault;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }

  get remedy(): string {
    return ERROR_CATALOGUE[this.code].remedy;
  }
}

/** An error as it travels: in problem+json, in a node's report, in a workflow failure's details. */
export interface Problem {
  code: ErrorCode;
  message: string;
  place: ErrorPlace;
  remedy: string;
  fault: Fault;
  retryable: boolean;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);
}

/** Any thrown thing as a problem; what is not a `FarmError` becomes `Internal`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof FarmError) {
    const { code, message, place, remedy, fault, retryable } = error;
    return { code, message, place, remedy, fault, retryable };
  }
  const message = error instanceof Error ? error.message : String(error);
  return toProblem(new FarmError('Internal', message));
}

/** The way back, for clients that got a problem over the wire. */
export function fromProblem(problem: Pick<Problem, 'code' | 'message' | 'place'>): FarmError {
  return new FarmError(problem.code, problem.message, problem.place);
}
