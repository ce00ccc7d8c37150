/** What the API answers when it refuses (RFC 9457 problem+json with the farm's code, place and remedy). */
export interface ProblemDocument {
  code: string;
  detail: string;
  place: Record<string, unknown>;
  remedy: string;
  /** HTTP status; 0 when nobody answered. */
  status: number;
}

/** A refusal of the API, or of the client before it asked. */
export class FarmApiError extends Error {
  override readonly name = 'FarmApiError';
  readonly code: string;
  readonly place: Record<string, unknown>;
  readonly remedy: string;
  readonly status: number;

  constructor(problem: ProblemDocument, options?: { cause?: unknown }) {
    super(problem.detail, options);
    this.code = problem.code;
    this.place = problem.place;
    this.remedy = problem.remedy;
    this.status = problem.status;
  }
}

/** Nobody listens at the API's address. */
export function unreachable(url: string, cause: unknown): FarmApiError {
  return new FarmApiError(
    {
      code: 'StackNotRunning',
      detail: `No farm answers at ${url}.`,
      place: { url },
      remedy: 'Start the farm with "npm start" or "farm up".',
      status: 0,
    },
    { cause },
  );
}

/** A mistake that the client sees itself, before anything is sent. */
export function refuse(
  code: string,
  detail: string,
  remedy: string,
  place: Record<string, unknown> = {},
): FarmApiError {
  return new FarmApiError({ code, detail, place, remedy, status: 422 });
}
