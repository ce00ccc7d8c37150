/**
 * What others need to know of the workflows to start, signal and await them: names, ids, inputs, task queues. Free of
 * Temporal and of Node, so that workflow code, workers, the API and tests all import it.
 *
 * PostgreSQL decides, workflows react: whoever pauses, resumes, cancels or raises a cap writes the job's row first and puts
 * the signal into the outbox in the same transaction.
 */

/** Names under which the workflows are registered. */
export const WORKFLOWS = {
  prepareJob: 'prepareJob',
  renderJob: 'renderJob',
  renderRange: 'renderRange',
  assembleAgain: 'assembleAgain',
} as const;

/**
 * Signals of `renderJob`. The first four have no argument; each says "look at the job's row".
 * - `pauseJob`: the job became `paused(user)`: nothing new is offered, chunks in flight are handed back.
 * - `resumeJob`: the job became `active` again.
 * - `cancelJob`: the job became `stopping(cancel)`: settles what is committed, refunds the rest, ends `cancelled`.
 * - `framesDelivered`: the studio has acknowledged every frame; a settled job that waited for that ends.
 * - `capRaised(cap)`: the studio wants this cap, base units as a decimal string. The difference is deposited on chain, and
 *   only then the row's cap changes (`raiseCap`) and a job `paused(budget)` goes on: nothing is rendered for money that is
 *   not there. Without an argument: the row's cap was raised already.
 */
export const SIGNALS = {
  pauseJob: 'pauseJob',
  resumeJob: 'resumeJob',
  cancelJob: 'cancelJob',
  framesDelivered: 'framesDelivered',
  capRaised: 'capRaised',
} as const;
export type SignalName = keyof typeof SIGNALS;

/** Which job a workflow is about. */
export interface JobReference {
  studioId: string;
  jobId: string;
}

/** Input of `prepareJob` and `renderJob`. */
export type PrepareJobInput = JobReference;
export type RenderJobInput = JobReference;

/** Input of `assembleAgain`; `away`: ids of sites that do not answer and are not waited for. */
export interface AssembleAgainInput extends JobReference {
  away: string[];
}

/** Answer of `prepareJob`: the job is `quoted`. It fails with an `ApplicationFailure` whose `details[0]` is a `Problem`. */
export interface PrepareJobResult {
  ok: true;
}

/** Answer of `renderJob`: how the job ended. */
export interface RenderJobResult {
  status: 'completed' | 'cancelled' | 'failed';
}

/** Workflow id of a job's preparation; one at a time, a later one may follow. */
export const prepareWorkflowId = (jobId: string): string => `prepare-${jobId}`;

/** Workflow id of a job's rendering: the job's id itself. */
export const renderWorkflowId = (jobId: string): string => jobId;

/** Workflow id of a child that renders the chunks from index `from` on. */
export const rangeWorkflowId = (jobId: string, from: number): string => `${jobId}/chunks-${from}`;

/** The three task queues: workflows and short activities, chunks of nodes, and the chain (one slot: nonce order). */
export interface TaskQueues {
  control: string;
  dispatch: string;
  settle: string;
}

/** Task queues by name; `prefix` (`FARM_TASK_QUEUE_PREFIX`) keeps tests on one server apart. */
export const taskQueues = (prefix = ''): TaskQueues => ({
  control: `${prefix}control`,
  dispatch: `${prefix}dispatch`,
  settle: `${prefix}settle`,
});

/**
 * The queues beside the control queue that a workflow runs on. A replay runs on a queue with a made-up name, and names of
 * queues do not matter to it.
 */
export const taskQueuesBeside = (controlQueue: string): TaskQueues =>
  taskQueues(controlQueue.endsWith('control') ? controlQueue.slice(0, -'control'.length) : '');
