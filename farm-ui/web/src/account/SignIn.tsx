import { KeyRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { problemOf } from '../api/client.ts';
import { farm } from '../api/farm.ts';
import type { Problem } from '../api/types.ts';
import { Button } from '../ui/Button.tsx';
import { Mark } from '../ui/Mark.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { useTitle } from '../ui/useTitle.ts';

interface SignInProps {
  /** A problem that arose before, as with a key from the link. */
  problem: Problem | null;
  onSignedIn: () => void;
}

/** Exchanges an API key for a session cookie. The key is not kept. */
export function SignIn({ problem: given, onSignedIn }: SignInProps) {
  useTitle('Sign in');
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(given);

  const signIn = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await farm.signIn(key.trim());
      onSignedIn();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <form className="panel" onSubmit={(event) => void signIn(event)}>
        <Mark size={40} />
        <h1>Framewright</h1>
        <p>Sign in with your studio’s API key. “npm start” prints a link that does it for you.</p>
        <label className="field">
          <span className="field-label">API key</span>
          <input
            type="password"
            name="key"
            className="mono"
            value={key}
            autoComplete="current-password"
            required
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        {problem && <ProblemNote problem={problem} />}
        <Button tone="primary" type="submit" busy={busy} icon={<KeyRound size={15} />} disabled={key.trim() === ''}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
