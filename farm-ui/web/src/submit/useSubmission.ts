/** A submission from files to quote: hash, create, upload, prepare. Nothing is spent here. */
import { useEffect, useRef, useState } from 'react';
import { problemOf } from '../api/client.ts';
import { addresses, farm } from '../api/farm.ts';
import type { Problem, Stage, SubmittedFile } from '../api/types.ts';
import { openStream } from '../live/stream.ts';
import type { ProjectFile } from './files.ts';
import { type Hashing, hashFiles } from './hashing.ts';
import type { SettingsText } from './settings.ts';
import { toRequest } from './settings.ts';
import { uploadBlobs } from './upload.ts';

export type Step =
  | { name: 'editing' }
  | { name: 'hashing' }
  | { name: 'creating' }
  | { name: 'uploading'; sent: number; total: number; known: number }
  | { name: 'preparing'; stage: Stage | null; fraction: number | null };

export interface Submission {
  step: Step;
  hashedBytes: number;
  problem: Problem | null;
  /** Starts hashing; replaces what was chosen before. */
  choose: (files: ProjectFile[]) => void;
  /** Resolves to the job's id when there is a quote, to null when it was refused or stopped. */
  submit: (files: ProjectFile[], settings: SettingsText) => Promise<string | null>;
  stop: () => void;
  clearProblem: () => void;
}

export function useSubmission(): Submission {
  const [step, setStep] = useState<Step>({ name: 'editing' });
  const [hashedBytes, setHashedBytes] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const hashing = useRef<Hashing | null>(null);
  const running = useRef<AbortController | null>(null);

  useEffect(
    () => () => {
      hashing.current?.stop();
      running.current?.abort();
    },
    [],
  );

  const choose = (files: ProjectFile[]): void => {
    hashing.current?.stop();
    setHashedBytes(0);
    setProblem(null);
    hashing.current = files.length > 0 ? hashFiles(files, setHashedBytes) : null;
    hashing.current?.done.catch((error: unknown) => setProblem(problemOf(error)));
  };

  const submit = async (files: ProjectFile[], settings: SettingsText): Promise<string | null> => {
    const control = new AbortController();
    running.current = control;
    setProblem(null);
    let closeStream = (): void => undefined;
    try {
      setStep({ name: 'hashing' });
      const hashed = await (hashing.current as Hashing).done;
      if (control.signal.aborted) return null;
      for (let isAgain = false; ; isAgain = true) {
        setStep({ name: 'creating' });
        const created = await farm.createJob({ ...toRequest(settings), files: hashed });
        await upload(created.missing, files, hashed, control.signal, setStep);
        if (control.signal.aborted) return null;
        setStep({ name: 'preparing', stage: null, fraction: null });
        closeStream = followPreparation(created.id, setStep);
        try {
          await farm.prepareJob(created.id);
          return created.id;
        } catch (error) {
          // The farm had lost some of what it said it has, and notices now: made again, the submission is asked for that.
          if (isAgain || problemOf(error).code !== 'UploadIncomplete') throw error;
          closeStream();
        }
      }
    } catch (error) {
      if (!control.signal.aborted) setProblem(problemOf(error));
      return null;
    } finally {
      closeStream();
      running.current = null;
      setStep({ name: 'editing' });
    }
  };

  return {
    step,
    hashedBytes,
    problem,
    choose,
    submit,
    stop: () => running.current?.abort(),
    clearProblem: () => setProblem(null),
  };
}

async function upload(
  missing: Parameters<typeof uploadBlobs>[0],
  files: readonly ProjectFile[],
  hashed: readonly SubmittedFile[],
  signal: AbortSignal,
  setStep: (step: Step) => void,
): Promise<void> {
  const sizes = new Map(hashed.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  const total = missing.reduce((sum, { hash }) => sum + (sizes.get(hash) ?? 0), 0);
  const known = sizes.size - missing.length;
  setStep({ name: 'uploading', sent: 0, total, known });
  await uploadBlobs(
    missing,
    files,
    hashed,
    (sent) => setStep({ name: 'uploading', sent: Math.min(sent, total), total, known }),
    signal,
  );
}

/** Shows which stage the preparation is in, as its events tell. */
function followPreparation(id: string, setStep: (step: Step) => void): () => void {
  return openStream({
    address: () => addresses.jobEvents(id, 0),
    onEvents: (events) => {
      for (const event of events) {
        if (event.type === 'stage.started') setStep({ name: 'preparing', stage: event.data.stage, fraction: null });
        if (event.type === 'stage.progress')
          setStep({ name: 'preparing', stage: event.data.stage, fraction: event.data.fraction });
      }
    },
  });
}
