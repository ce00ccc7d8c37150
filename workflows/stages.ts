/** The activities as workflows call them: on which queue, with which time limits and retries. */
import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { AssembleActivities } from '../activities/assemble/index.ts';
import type { IntakeActivities } from '../activities/intake/index.ts';
import type { PlanActivities } from '../activities/plan/index.ts';
import type { DispatchActivities, RenderActivities } from '../activities/render/index.ts';
import type { SettleActivities } from '../activities/settle/index.ts';
import type { VerifyActivities } from '../activities/verify/index.ts';
import type { Policy } from '../domain/policy.ts';
import { type TaskQueues, taskQueuesBeside } from './contract.ts';

const queues = (): TaskQueues => taskQueuesBeside(workflowInfo().taskQueue);

/** Quick first retries, since most causes (a lock, a restarting service) pass at once; then once in ten seconds. */
const PATIENT = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** Somebody waits for the answer of a preparation, so that it gives up soon and says why. */
const PROMPT = { ...PATIENT, maximumAttempts: 4 } as const;

/** Reading and writing the record, for `prepareJob`. */
export const preparation = () =>
  proxyActivities<IntakeActivities & PlanActivities>({
    taskQueue: queues().control,
    startToCloseTimeout: '30s',
    retry: PROMPT,
  });

/** Reading a stranger's scene: long, heartbeating, and not tried for ever. */
export const inspection = (policy: Policy) =>
  proxyActivities<IntakeActivities>({
    taskQueue: queues().control,
    // Files come from the store first; they may be many gigabytes.
    startToCloseTimeout: (policy.inspectSeconds + 1800) * 1000,
    heartbeatTimeout: '20s',
    retry: { ...PROMPT, maximumAttempts: 2 },
  });

/** The calibration on a node. The activity itself ends with `ServiceFailed` when no node comes. */
export const calibration = (policy: Policy) =>
  proxyActivities<DispatchActivities>({
    taskQueue: queues().dispatch,
    scheduleToCloseTimeout: (policy.calibrationWaitSeconds + policy.calibrationSeconds + 60) * 1000,
    heartbeatTimeout: policy.heartbeatTimeoutSeconds * 1000,
    retry: PATIENT,
  });

/** Reading and writing the record, for `renderJob`: goes on until the database answers. */
export const record = () =>
  proxyActivities<PlanActivities & RenderActivities>({
    taskQueue: queues().control,
    startToCloseTimeout: '60s',
    retry: PATIENT,
  });

/**
 * One chunk from its offer to its last committed frame. It may wait for a node for days; what ends a dead dispatch worker's
 * attempt is the heartbeat.
 */
export const dispatch = (policy: Policy) =>
  proxyActivities<DispatchActivities>({
    taskQueue: queues().dispatch,
    startToCloseTimeout: '30 days',
    heartbeatTimeout: policy.heartbeatTimeoutSeconds * 1000,
    // The row of the chunk says "stop" to the node; nobody needs to wait for the activity's answer.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '5s' },
  });

/** Reading frames back and making pictures and film of them. */
export const delivery = () =>
  proxyActivities<VerifyActivities & AssembleActivities>({
    taskQueue: queues().control,
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '60s',
    retry: { ...PATIENT, maximumAttempts: 5 },
  });

/** The chain. Every step can be repeated; money is moved however long the chain takes to answer. */
export const settlement = () =>
  proxyActivities<SettleActivities>({
    taskQueue: queues().settle,
    startToCloseTimeout: '5 minutes',
    retry: { ...PATIENT, maximumInterval: '60s' },
  });
