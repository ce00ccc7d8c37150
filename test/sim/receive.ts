/** A frame on its way from a site to the studio: over links, and through the programs at both ends where they share a machine. */
import type { LabMachine } from './labMachine.ts';
import type { ModelSite } from './model.ts';
import type { Network, Place } from './network.ts';
import { type JobSpec, wholeMB } from './scenario.ts';

/** What is received at a time on a machine: links and programs take turns in such pieces. More of them cost the model time. */
const PIECE_MB = 1;
const MOST_PIECES = 16;
/** Pieces that cross before programs are at work on them: what the kernel keeps for a connection (4 MiB in Linux's `tcp_wmem`). */
const PIECES_AHEAD = 4;

interface Way {
  from: ModelSite;
  to: Place;
  job: JobSpec;
  lab: LabMachine | null;
}

/** Sends one frame; `done` is called when it is received whole. */
export function receive(network: Network, { from, to, job, lab }: Way, done: () => void): void {
  if (!lab) {
    network.send(from, to, job.frameBytes, done);
    return;
  }
  const megabytes = wholeMB(job);
  const pieces = Math.max(1, Math.min(MOST_PIECES, Math.ceil(megabytes / PIECE_MB)));
  let crossed = 0;
  let received = 0;
  let isCrossing = false;
  const cross = (): void => {
    if (isCrossing || crossed === pieces || crossed - received > PIECES_AHEAD) return;
    isCrossing = true;
    network.send(from, to, job.frameBytes / pieces, () => {
      isCrossing = false;
      crossed++;
      cross();
      lab.do('receive', from.index, null, megabytes / pieces, () => {
        received++;
        if (received === pieces) done();
        else cross();
      });
    });
  };
  cross();
}
