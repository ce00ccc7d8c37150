/** Shows how far an upload is: bytes read, bytes sent, bytes that were there already. */
import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { SubmitProgress } from '../sdk/submit.ts';
import { bytes } from './duration.ts';

/** On standard error, for people. Stop it, however the upload ends. */
export function uploadBar(): { progress: SubmitProgress; stop: () => void } {
  const bar = new SingleBar({
    format: '  upload {bar} {hashed} of {size} read, {sent} sent, {present} already there',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  const stop = () => {
    if (started) bar.stop();
    started = false;
  };
  return {
    progress: {
      uploading({ totalBytes, hashedBytes, sentBytes, presentBytes }) {
        const labels = {
          ...{ hashed: bytes(hashedBytes), size: bytes(totalBytes) },
          ...{ sent: bytes(sentBytes), present: bytes(presentBytes) },
        };
        // Equal bytes are sent once, so what is sent may end below the total: reading counts for half.
        const done = (hashedBytes + Math.min(totalBytes, sentBytes + presentBytes)) / 2;
        if (started) bar.update(done, labels);
        else bar.start(totalBytes, done, labels);
        started = true;
      },
      preparing() {
        stop();
        process.stderr.write(pc.dim('  inspecting the scene, calibrating on a node …\n'));
      },
    },
    stop,
  };
}
