import { CircleAlert, FileBox, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { localProblem } from '../api/client.ts';
import type { Problem } from '../api/types.ts';
import { formatBytes, plural } from '../lib/format.ts';
import { Bar } from '../ui/Bar.tsx';
import { Button, IconButton } from '../ui/Button.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { useTitle } from '../ui/useTitle.ts';
import { DropZone } from './DropZone.tsx';
import { type ProjectFile, sceneFiles, shotName } from './files.ts';
import { type Peek, peek } from './peek.ts';
import { SettingsForm } from './SettingsForm.tsx';
import { DEFAULT_SETTINGS, fieldOf, firstMistake, type SettingsField, type SettingsText } from './settings.ts';
import { type Step, useSubmission } from './useSubmission.ts';

/** Drop, set, ask for the quote. The quote itself stands on the job's page. */
export function SubmitPage() {
  useTitle('New job');
  const [files, setFiles] = useState<ProjectFile[]>([]);
  const [settings, setSettings] = useState<SettingsText>(DEFAULT_SETTINGS);
  const [seen, setSeen] = useState<Peek | null>(null);
  const [mistake, setMistake] = useState<Problem | null>(null);
  const [, navigate] = useLocation();
  const submission = useSubmission();
  const scenes = sceneFiles(files);
  const problem = mistake ?? submission.problem;
  const busy = submission.step.name !== 'editing';

  useEffect(() => {
    const main = files.find(({ path }) => path === settings.main);
    setSeen(null);
    if (!main) return;
    let current = true;
    void peek(main, files).then((found) => current && setSeen(found));
    return () => {
      current = false;
    };
  }, [files, settings.main]);

  const choose = (chosen: ProjectFile[]): void => {
    setMistake(null);
    setFiles(chosen);
    submission.choose(chosen);
    const main = sceneFiles(chosen)[0] ?? chosen[0]?.path ?? '';
    setSettings((before) => ({ ...before, main, name: chosen.length > 0 ? shotName(main) : '' }));
  };

  const submit = async (): Promise<void> => {
    const wrong = firstMistake(settings);
    if (wrong) {
      setMistake(
        localProblem('SettingInvalid', wrong.message, 'Correct the named setting.', 'user', { setting: wrong.field }),
      );
      return;
    }
    setMistake(null);
    const id = await submission.submit(files, settings);
    if (id !== null) navigate(`/jobs/${id}`);
  };

  const spot = problem ? fieldOf(problem) : null;
  const problemAt = (field: SettingsField): ReactNode =>
    problem && spot === field ? <ProblemNote problem={problem} /> : null;

  if (files.length === 0) {
    return (
      <main className="page narrow">
        <header className="page-head">
          <h1>New job</h1>
        </header>
        <DropZone onFiles={choose} />
        <p className="aside">
          Files are compared by their SHA-256 first: what the farm already holds of your studio is not sent again.
          Nothing is charged before you accept a quote.
        </p>
      </main>
    );
  }

  return (
    <main className="page narrow">
      <header className="page-head">
        <h1>New job</h1>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <ChosenFiles files={files} main={settings.main} busy={busy} onClear={() => choose([])} />
        {problemAt('files')}
        {seen && seen.missing.length > 0 && !problem && <MissingNote missing={seen.missing} />}
        <section className="panel" aria-label="Settings">
          <SettingsForm
            settings={settings}
            scenes={scenes}
            cameras={seen?.cameras ?? []}
            variants={seen?.variants ?? []}
            disabled={busy}
            onChange={(change) => {
              setMistake(null);
              submission.clearProblem();
              setSettings((before) => ({ ...before, ...change }));
            }}
            problemAt={problemAt}
          />
        </section>
        {problem && (spot === null || spot === 'cap') && <ProblemNote problem={problem} />}
        <footer className="submit-bar">
          {busy ? <StepProgress step={submission.step} hashed={submission.hashedBytes} files={files} /> : <span />}
          {busy && submission.step.name !== 'preparing' && <Button onClick={submission.stop}>Stop</Button>}
          <Button tone="primary" type="submit" busy={busy} disabled={settings.name.trim() === ''}>
            Get a quote
          </Button>
        </footer>
      </form>
    </main>
  );
}

function ChosenFiles({
  files,
  main,
  busy,
  onClear,
}: {
  files: ProjectFile[];
  main: string;
  busy: boolean;
  onClear: () => void;
}) {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <section className="panel chosen" aria-label="Chosen files">
      <FileBox size={20} aria-hidden="true" />
      <div>
        <strong className="mono">{main}</strong>
        <p>
          {plural(files.length, 'file')}, {formatBytes(bytes)}
        </p>
      </div>
      <IconButton label="Choose other files" icon={<X size={16} />} disabled={busy} onClick={onClear} />
    </section>
  );
}

function MissingNote({ missing }: { missing: string[] }) {
  return (
    <div className="note warn" role="status">
      <CircleAlert size={16} aria-hidden="true" />
      <div className="note-body">
        <p className="note-title">
          The scene refers to {plural(missing.length, 'file')} that {missing.length === 1 ? 'is' : 'are'} not among
          those chosen.
        </p>
        <p className="note-place mono">{missing.slice(0, 6).join('\n')}</p>
        <p>Choose the whole folder instead.</p>
      </div>
    </div>
  );
}

const PREPARING: Record<string, string> = {
  intake: 'Checking files and inspecting the scene',
  plan: 'Calibrating on a node and making the quote',
};

function StepProgress({ step, hashed, files }: { step: Step; hashed: number; files: ProjectFile[] }) {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const [text, fraction] = describe(step, hashed, bytes);
  return (
    <div className="step" aria-live="polite">
      <p>{text}</p>
      <Bar label={text} fraction={fraction} />
    </div>
  );
}

function describe(step: Step, hashed: number, bytes: number): [string, number | null] {
  switch (step.name) {
    case 'editing':
      return ['', 0];
    case 'hashing':
      return [`Hashing ${formatBytes(hashed)} of ${formatBytes(bytes)}`, bytes === 0 ? null : hashed / bytes];
    case 'creating':
      return ['Comparing with what the farm holds', null];
    case 'uploading':
      return step.total === 0
        ? ['Everything is there already', 1]
        : [`Uploading ${formatBytes(step.sent)} of ${formatBytes(step.total)}`, step.sent / step.total];
    case 'preparing':
      return [PREPARING[step.stage ?? 'intake'] ?? 'Preparing', step.fraction];
  }
}
