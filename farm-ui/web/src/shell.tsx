import { CircleUser, Clapperboard, MapPin, Moon, Plus, Server, Sun, Wifi, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Me } from './api/types.ts';
import { IconButton } from './ui/Button.tsx';
import { useConnection } from './ui/connection.ts';
import { Dialog } from './ui/Dialog.tsx';
import { Mark } from './ui/Mark.tsx';
import { useIsDark, useTheme } from './ui/useTheme.ts';

const PLACES = [
  { href: '/', text: 'Jobs', icon: Clapperboard, within: /^\/($|jobs)/, ofStudio: true },
  { href: '/submit', text: 'New job', icon: Plus, within: /^\/submit/, ofStudio: true },
  { href: '/nodes', text: 'Nodes', icon: Server, within: /^\/nodes/, ofStudio: false },
  { href: '/sites', text: 'Sites', icon: MapPin, within: /^\/sites/, ofStudio: false },
  { href: '/account', text: 'Account', icon: CircleUser, within: /^\/account/, ofStudio: false },
];

const KEYS: [string, string][] = [
  ['n', 'New job'],
  ['g', 'All jobs'],
  ['/', 'Search jobs'],
  ['j  k', 'Next, previous job'],
  ['Enter', 'Open the marked job'],
  ['←  →', 'Previous, next frame (in the strip)'],
  ['Home  End', 'First, last frame'],
  ['?', 'This list'],
];

/** Header with the places, the sign of the event stream and the theme; the page below. */
export function Shell({ me, children }: { me: Me; children: ReactNode }) {
  const [location, navigate] = useLocation();
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (target.matches('input, textarea, select') || event.metaKey || event.ctrlKey || event.altKey) return;
      if (document.querySelector('dialog[open]')) return;
      if (event.key === '?') setHelp(true);
      if (event.key === 'n') navigate('/submit');
      if (event.key === 'g') navigate('/');
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate]);
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="top">
        <Link href="/" className="brand" aria-label="Framewright, all jobs">
          <Mark /> <span>Framewright</span>
        </Link>
        <nav aria-label="Places">
          {PLACES.filter(({ ofStudio }) => me.studio || !ofStudio).map(({ href, text, icon: Icon, within }) => (
            <Link key={href} href={href} aria-current={within.test(location) ? 'page' : undefined}>
              <Icon size={16} aria-hidden="true" />
              <span>{text}</span>
            </Link>
          ))}
        </nav>
        <div className="top-end">
          <LiveSign />
          {me.studio && <span className="studio">{me.studio.name}</span>}
          <ThemeButton />
          <IconButton
            label="Keyboard shortcuts"
            className="keys-button"
            icon={<kbd>?</kbd>}
            onClick={() => setHelp(true)}
          />
        </div>
      </header>
      <div id="content">{children}</div>
      <Dialog open={help} title="Keyboard shortcuts" onClose={() => setHelp(false)}>
        <dl className="keys">
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split('  ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </>
  );
}

function LiveSign() {
  const connection = useConnection();
  if (connection === null) return null;
  const live = connection === 'live';
  return (
    <span className={`live-sign ${connection}`} role="status">
      {live ? <Wifi size={14} aria-hidden="true" /> : <WifiOff size={14} aria-hidden="true" />}
      <span>{live ? 'Live' : connection === 'connecting' ? 'Connecting' : 'Reconnecting'}</span>
    </span>
  );
}

function ThemeButton() {
  const [, setTheme] = useTheme();
  const dark = useIsDark();
  return (
    <IconButton
      label={dark ? 'Light theme' : 'Dark theme'}
      icon={dark ? <Sun size={16} /> : <Moon size={16} />}
      onClick={() => setTheme(dark ? 'light' : 'dark')}
    />
  );
}
