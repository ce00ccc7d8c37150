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
  /** Of the frame's bytes. */
  share: number;
}

/** Sends a frame or a part of it; `done` is called when that is received. */
export function receive(network: Network, { from, to, job, lab, share }: Way, done: () => void): void {
  const bytes = job.frameBytes * share;
  if (!lab) {
    network.send(from, to, bytes, done);
    return;
  }
  const megabytes = wholeMB(job) * share;
  const pieces = Math.max(1, Math.min(MOST_PIECES, Math.ceil(megabytes / PIECE_MB)));
  let crossed = 0;
  let received = 0;
  let isCrossing = false;
  const cross = (): void => {
    if (isCrossing || crossed === pieces || crossed - received > PIECES_AHEAD) return;
    isCrossing = true;
    network.send(from, to, bytes / pieces, () => {
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
