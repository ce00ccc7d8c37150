import { CircleHelp } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { AccountPage } from './account/AccountPage.tsx';
import { NoStudio } from './account/NoStudio.tsx';
import { SignIn } from './account/SignIn.tsx';
import { keyInAddress, withoutKey } from './account/session.ts';
import { problemOf, SIGNED_OUT } from './api/client.ts';
import { farm } from './api/farm.ts';
import type { Me, Problem } from './api/types.ts';
import { JobPage } from './job/JobPage.tsx';
import { JobsPage } from './jobs/JobsPage.tsx';
import { NodesPage } from './nodes/NodesPage.tsx';
import { Shell } from './shell.tsx';
import { SitesPage } from './sites/SitesPage.tsx';
import { SubmitPage } from './submit/SubmitPage.tsx';
import { Button } from './ui/Button.tsx';
import { Empty } from './ui/Empty.tsx';
import { ProblemNote } from './ui/ProblemNote.tsx';

type Session =
  | { state: 'asking' }
  | { state: 'in'; me: Me }
  | { state: 'out'; problem: Problem | null }
  | { state: 'unreachable'; problem: Problem };

/** The session decides what is shown: the farm's pages or the sign-in. */
export function App() {
  const [session, setSession] = useState<Session>({ state: 'asking' });
  const [, navigate] = useLocation();

  const asking = useRef(false);
  const ask = useCallback(async (): Promise<void> => {
    // A second question while a key is being exchanged would find nobody signed in yet.
    if (asking.current) return;
    asking.current = true;
    const key = keyInAddress(window.location);
    try {
      if (key !== null) {
        window.history.replaceState(null, '', withoutKey(window.location.href));
        await farm.signIn(key);
      }
      setSession({ state: 'in', me: await farm.me() });
    } catch (error) {
      const problem = problemOf(error);
      // Without a key in the address, "not signed in" is no news.
      if (problem.status === 401) setSession({ state: 'out', problem: key === null ? null : problem });
      else setSession({ state: 'unreachable', problem });
    } finally {
      asking.current = false;
    }
  }, []);

  useEffect(() => {
    void ask();
    const out = (): void => setSession({ state: 'out', problem: null });
    // A link with a key, opened in a tab that shows the page already, changes nothing but the fragment.
    const handed = (): void => {
      if (keyInAddress(window.location) !== null) void ask();
    };
    window.addEventListener(SIGNED_OUT, out);
    window.addEventListener('hashchange', handed);
    return () => {
      window.removeEventListener(SIGNED_OUT, out);
      window.removeEventListener('hashchange', handed);
    };
  }, [ask]);

  if (session.state === 'asking') return null;
  if (session.state === 'out') return <SignIn problem={session.problem} onSignedIn={() => void ask()} />;
  if (session.state === 'unreachable') {
    return (
      <main className="sign-in">
        <ProblemNote problem={session.problem} actions={<Button onClick={() => void ask()}>Try again</Button>} />
      </main>
    );
  }
  const signOut = async (): Promise<void> => {
    await farm.signOut().catch(() => undefined);
    navigate('/');
    setSession({ state: 'out', problem: null });
  };
  return (
    <Shell me={session.me}>
      <Switch>
        {session.me.studio === null && <Route path={/^\/($|jobs|submit)/} component={NoStudio} />}
        <Route path="/" component={JobsPage} />
        <Route path="/jobs" component={JobsPage} />
        <Route path="/submit" component={SubmitPage} />
        <Route path="/jobs/:id/:tab?">{({ id, tab }) => <JobPage key={id} id={id} tab={tab ?? 'shot'} />}</Route>
        <Route path="/nodes">
          <NodesPage me={session.me} />
        </Route>
        <Route path="/sites">
          <SitesPage me={session.me} />
        </Route>
        <Route path="/account">
          <AccountPage me={session.me} onSignOut={() => void signOut()} />
        </Route>
        <Route>
          <main className="page">
            <Empty
              icon={<CircleHelp size={28} />}
              title="No such page"
              action={
                <Link href="/" className="button">
                  <span>All jobs</span>
                </Link>
              }
            />
          </main>
        </Route>
      </Switch>
    </Shell>
  );
}
