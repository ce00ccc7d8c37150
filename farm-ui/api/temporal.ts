/** The API's way to the workflow engine: it runs one workflow itself (`prepareJob`); all others go through the outbox. */
import {
  ActivityFailure,
  ApplicationFailure,
  Client,
  Connection,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import { FarmError, fromProblem, isErrorCode, type Problem } from '../../domain/errors.ts';
import { type JobReference, prepareWorkflowId, type TaskQueues, WORKFLOWS } from '../../workflows/contract.ts';
import type { Workflows } from './deps.ts';

export interface TemporalWorkflows extends Workflows {
  close(): Promise<void>;
}

/** Connects when first used. @param queues as the workers have them */
export function createTemporalWorkflows(
  { address, namespace }: { address: string; namespace: string },
  queues: TaskQueues,
): TemporalWorkflows {
  const connection = Connection.lazy({ address });
  const client = new Client({ connection, namespace });
  return {
    async prepareJob(job: JobReference) {
      const workflowId = prepareWorkflowId(job.jobId);
      try {
        try {
          await client.workflow.execute(WORKFLOWS.prepareJob, {
            taskQueue: queues.control,
            workflowId,
            args: [job],
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
          });
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          await client.workflow.result(workflowId);
        }
      } catch (error) {
        throw asFarmError(error);
      }
    },
    async check() {
      try {
        await connection.ensureConnected();
        await connection.workflowService.describeNamespace({ namespace });
      } catch (error) {
        throw asFarmError(error);
      }
    },
    async close() {
      await connection.close();
    },
  };
}

/** The problem that a workflow failed with; the engine itself failing is `ServiceFailed`. */
function asFarmError(error: unknown): FarmError {
  if (error instanceof WorkflowFailedError) {
    for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof ActivityFailure) continue;
      if (!(cause instanceof ApplicationFailure)) break;
      const problem = cause.details?.[0] as Problem | undefined;
      if (problem && isErrorCode(problem.code)) return fromProblem(problem);
    }
    return new FarmError('Internal', `The preparation failed: ${error.cause?.message ?? error.message}`);
  }
  const message = error instanceof ServiceError ? (error.cause?.message ?? error.message) : String(error);
  return new FarmError('ServiceFailed', `The workflow engine does not answer: ${message}`, {}, { cause: error });
}
