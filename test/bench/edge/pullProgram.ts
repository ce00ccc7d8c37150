/** What the studio's own machine does while a run's clock runs: takes its frames, as `farm job pull --wait` does. Started by `studioProcess.ts`. */
import { FarmClient, type FarmClientOptions } from '../../../cli/sdk/client.ts';
import { pullJob } from '../../../cli/sdk/pull.ts';
import { startOwnMachine } from './ownMachine.ts';

/** A job to take. */
export interface PullOrder {
  access: FarmClientOptions;
  jobId: string;
  /** Absolute. */
  folder: string;
  transit: 'on' | 'off';
}

/** It listens; a file is whole and right (`at`: milliseconds since 1970); all are; or why not. */
export type PullNews =
  | { ready: true }
  | { file: string; sizeBytes: number; at: number }
  | { done: true }
  | { failure: string };

/** Who was told enough listens no more (a warm-up); the process ends on that, and has nobody else to tell. */
const tell = (news: PullNews): void => void process.send!(news, () => undefined);

startOwnMachine();
process.once('disconnect', () => process.exit(0));
process.on('message', ({ access, jobId, folder, transit }: PullOrder) => {
  const onFile = (file: string, { sizeBytes }: { sizeBytes: number }): void =>
    tell({ file, sizeBytes, at: Date.now() });
  pullJob(new FarmClient(access), jobId, { folder, wait: true, transit, onFile }).then(
    () => tell({ done: true }),
    (error: unknown) => tell({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
tell({ ready: true });
