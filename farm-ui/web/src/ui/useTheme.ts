import { useEffect, useState } from 'react';

export type Theme = 'system' | 'dark' | 'light';
const KEY = 'farm.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'dark' || value === 'light' ? value : 'system';
  } catch {
    return 'system';
  }
}

/** The chosen theme, kept in the browser; `system` follows the operating system. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Private windows may refuse storage; the theme then lasts as long as the page.
    }
    window.dispatchEvent(new Event('farm:theme'));
  }, [theme]);
  return [theme, setTheme];
}
