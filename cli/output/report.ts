/** What the command prints when something went wrong, and the exit code scripts see. */
import pc from 'picocolors';
import { FarmApiError } from '../sdk/errors.ts';

/** Exit codes: 2 usage, 3 scene or asset, 4 money, 5 not found or forbidden, 6 farm not reachable, 7 job failed, 8 conflict. */
const EXIT_CODES: Record<string, number> = {
  RequestInvalid: 2,
  CameraUnknown: 2,
  FrameRangeInvalid: 2,
  FrameRangeTooLarge: 2,
  ResolutionInvalid: 2,
  SettingInvalid: 2,
  TemplateInvalid: 2,
  PlacementImpossible: 2,
  NameInvalid: 2,
  FileNotFound: 3,
  FileEmpty: 3,
  SceneInvalid: 3,
  SceneAmbiguous: 3,
  EnvironmentInvalid: 3,
  SceneUnsupported: 3,
  SceneTooLarge: 3,
  AssetMissing: 3,
  CapTooSmall: 4,
  BudgetExceeded: 4,
  QuoteExpired: 4,
  QuoteTaken: 4,
  FundsMissing: 4,
  ChainMismatch: 4,
  LedgerUnbalanced: 4,
  Unauthenticated: 5,
  Forbidden: 5,
  JobNotFound: 5,
  NotFound: 5,
  NotWritable: 5,
  NothingToPay: 5,
  NodeNotRegistered: 5,
  StackNotRunning: 6,
  ServiceFailed: 6,
  PinnedSiteAway: 6,
  PortTaken: 6,
  DiskFull: 6,
  BinaryMissing: 6,
  GpuMissing: 6,
  PlatformUnsupported: 6,
  RenderFailed: 7,
  TooManyFailures: 7,
  JobStateConflict: 8,
  FramesWouldBeLost: 8,
  IdempotencyConflict: 8,
  UploadIncomplete: 8,
  HashMismatch: 8,
  TargetBusy: 8,
  Cancelled: 130,
};

/** A signal ended the command. */
export class Interrupted extends FarmApiError {
  /** 128 and the signal's number. */
  readonly exitCode: number;

  constructor(detail: string, remedy: string, exitCode: number) {
    super({ code: 'Cancelled', detail, place: {}, remedy, status: 409 });
    this.exitCode = exitCode;
  }
}

interface Reportable {
  code: string;
  message: string;
  place: Record<string, unknown>;
  remedy: string;
}

function reportable(error: unknown): Reportable {
  if (error instanceof Error && 'code' in error && 'remedy' in error) {
    const { code, message, place, remedy } = error as Error & Reportable;
    return { code, message, place: place ?? {}, remedy };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'Internal', message, place: {}, remedy: 'Report this; it is a defect.' };
}

/** Exit code of an error code; 1 for those without one of their own. */
export const exitCodeOf = (code: string): number => EXIT_CODES[code] ?? 1;

/** Prints one error, for people on stderr or as JSON on stdout, and sets the exit code. */
export function reportError(error: unknown, json: boolean): void {
  const problem = reportable(error);
  process.exitCode = error instanceof Interrupted ? error.exitCode : exitCodeOf(problem.code);
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: problem })}\n`);
    return;
  }
  const place = Object.entries(problem.place)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
  process.stderr.write(
    `${pc.red('✗')} ${pc.bold(problem.code)}  ${problem.message}\n` +
      (place === '' ? '' : `  ${pc.dim(place)}\n`) +
      `  ${pc.cyan('→')} ${problem.remedy}\n`,
  );
}
