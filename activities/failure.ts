/** How errors leave an activity: as a failure that carries the problem, and says whether Temporal shall try again. */
import { ApplicationFailure, CancelledFailure, CompleteAsyncError } from '@temporalio/activity';
import { FarmError, toProblem } from '../domain/errors.ts';

/**
 * The same functions, whose errors become `ApplicationFailure`s with the error's code as type and its `Problem` as
 * `details[0]`. What is no `FarmError` counts as `Internal` and is tried again; Temporal's own failures pass.
 */
export function asActivities<T extends Record<string, (...input: never[]) => Promise<unknown>>>(functions: T): T {
  const wrapped = Object.entries(functions).map(([name, run]) => [
    name,
    async (...input: never[]) => {
      try {
        return await run(...input);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

/** An error that ends the activity for good, whatever the catalogue says of retries: it has tried all it can. */
export function finalFailure(error: FarmError): ApplicationFailure {
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: true,
    details: [toProblem(error)],
    cause: error,
  });
}

/** An error as Temporal shall see it. */
function toFailure(error: unknown): unknown {
  const passes = [ApplicationFailure, CancelledFailure, CompleteAsyncError].some((type) => error instanceof type);
  if (passes) return error;
  const problem = toProblem(error);
  return ApplicationFailure.create({
    message: problem.message,
    type: problem.code,
    nonRetryable: error instanceof FarmError && !error.retryable,
    details: [problem],
    cause: error instanceof Error ? error : undefined,
  });
}
