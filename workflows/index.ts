/** All workflows, as workers bundle them. */
export { assembleAgain } from './assembleAgain.ts';
export { prepareJob } from './prepareJob.ts';
export { renderJob } from './renderJob.ts';
export { renderRange } from './renderRange.ts';
