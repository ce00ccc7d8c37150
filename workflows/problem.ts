/** From what an activity or child threw to the problem that people and pages read. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { FarmError, isErrorCode, type Problem, toProblem } from '../domain/errors.ts';

/** The problem in the details of the innermost failure; what carries none becomes `ServiceFailed` or `Internal`. */
export function problemOf(error: unknown): Problem {
  const cause = innermost(error);
  if (cause instanceof ApplicationFailure) {
    const problem = cause.details?.[0] as Partial<Problem> | undefined;
    if (problem && isErrorCode(problem.code)) return problem as Problem;
    return toProblem(new FarmError('Internal', cause.message));
  }
  if (cause instanceof TimeoutFailure) {
    const activity = error instanceof ActivityFailure ? `"${error.activityType}"` : 'A step of the job';
    return toProblem(new FarmError('ServiceFailed', `${activity} took too long (${cause.timeoutType}).`));
  }
  return toProblem(cause);
}

/** A failure that ends a workflow and brings the problem to its caller as `details[0]`. */
export function failureOf(problem: Problem): ApplicationFailure {
  return ApplicationFailure.create({
    message: problem.message,
    type: problem.code,
    nonRetryable: true,
    details: [problem],
  });
}

function innermost(error: unknown): unknown {
  let current = error;
  while ((current instanceof ActivityFailure || current instanceof ChildWorkflowFailure) && current.cause) {
    current = current.cause;
  }
  return current;
}
