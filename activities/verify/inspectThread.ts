/** Program of a thread that reads frames from a store, checks their hash and judges them: see `frameInspectors.ts`. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { FarmError, type Problem, toProblem } from '../../domain/errors.ts';
import { DEFAULT_RENDER_SETTINGS } from '../../domain/scene.ts';
import { type FileAnswer, getFile } from '../../ports/http/getFile.ts';
import { inspectExrBytes } from '../../renderer/image/exr/inspect.ts';
import { damaged, type ExpectedFrame, judgeFrame, type Verdict } from './judgeFrame.ts';

/** A frame to look at. */
export interface InspectJob {
  /** Presigned address of the EXR. */
  url: string;
  /** What was announced of it. */
  hash: string;
  sizeBytes: number;
  expected: ExpectedFrame;
}

/** Asks a thread to look at a picture of its own making: its code is loaded and compiled when the first frame comes. */
export type WarmUp = 'warm-up';

export type InspectAnswer = { verdict: Verdict } | { problem: Problem };

/** A store that sends nothing for so long is not going to. */
const SILENCE_MS = 20_000;

/** Frames of a job have one size: the memory is used again. */
let memory = new Uint8Array(0);

parentPort!.on('message', (job: InspectJob | WarmUp) => {
  const answer = (message: InspectAnswer): void => parentPort!.postMessage(message);
  (job === 'warm-up' ? lookAtOwn() : look(job)).then(
    (verdict) => answer({ verdict }),
    (error: unknown) => answer({ problem: toProblem(error) }),
  );
});

/** Large enough for the compiler to see what is worth its work. */
const OWN_SIZE = 512;
const OWN_LOOKS = 4;

async function lookAtOwn(): Promise<Verdict> {
  const { encodeExr } = await import('../../renderer/image/exr/write.ts');
  const data = new Float32Array(OWN_SIZE * OWN_SIZE).fill(0.5);
  const channels = ['R', 'G', 'B', 'A'].map((name) => ({ name, type: 'half' as const, data, stride: 1, offset: 0 }));
  const bytes = await encodeExr({ width: OWN_SIZE, height: OWN_SIZE, channels, compression: 'none' });
  const output = { ...DEFAULT_RENDER_SETTINGS.output, layers: ['beauty' as const] };
  const ordered = { ...DEFAULT_RENDER_SETTINGS, width: OWN_SIZE, height: OWN_SIZE, output };
  let verdict = damaged('Nothing was looked at.');
  for (let turn = 0; turn < OWN_LOOKS; turn += 1) verdict = judgeFrame(inspectExrBytes(bytes), ordered);
  return verdict;
}

async function look({ url, hash, sizeBytes, expected }: InspectJob): Promise<Verdict> {
  const answer = await open(url);
  if (answer.status !== 200) {
    answer.destroy();
    if (answer.status === 404) return damaged('Its EXR is not in the store.');
    throw new FarmError('StoreFailed', `The store answered ${answer.status} for a frame.`, { hash });
  }
  const length = Number(answer.headers['content-length']);
  if (length !== sizeBytes) {
    answer.destroy();
    return damaged(`Its EXR has ${length} bytes; ${sizeBytes} were announced.`);
  }
  if (memory.length < sizeBytes) memory = new Uint8Array(sizeBytes);
  const digest = createHash('sha256');
  let at = 0;
  try {
    await answer.read((part) => {
      digest.update(part);
      memory.set(part, at);
      at += part.length;
      return undefined;
    });
  } catch (error) {
    throw new FarmError('StoreFailed', `A frame broke off at byte ${at}: ${(error as Error).message}`, { hash });
  }
  if (at !== sizeBytes) throw new FarmError('StoreFailed', `A frame broke off at byte ${at}.`, { hash });
  const actual = digest.digest('hex');
  if (actual !== hash) return damaged(`Its EXR hashes to ${actual}; ${hash} was announced.`);
  try {
    return judgeFrame(inspectExrBytes(memory.subarray(0, sizeBytes)), expected);
  } catch (error) {
    return damaged(`Its EXR cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws FarmError `StoreFailed` */
function open(url: string): Promise<FileAnswer> {
  return getFile(url, { silenceMs: SILENCE_MS }).catch((error: Error) => {
    throw new FarmError('StoreFailed', `The store does not answer for a frame: ${error.message}`);
  });
}
