/** The chosen theme, kept in the browser; `system` follows the operating system. */
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'dark' | 'light';
const KEY = 'farm.theme';
const listeners = new Set<() => void>();
let theme: Theme = stored();

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'dark' || value === 'light' ? value : 'system';
  } catch {
    return 'system';
  }
}

function setTheme(next: Theme): void {
  theme = next;
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Private windows may refuse storage; the theme then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, () => theme), setTheme];
}

const system = window.matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now; draws again when that changes. Canvases take their colours anew with it. */
export function useIsDark(): boolean {
  return useSyncExternalStore(
    (listener) => {
      system.addEventListener('change', listener);
      const stop = subscribe(listener);
      return () => {
        system.removeEventListener('change', listener);
        stop();
      };
    },
    () => (theme === 'system' ? system.matches : theme === 'dark'),
  );
}
