import { useEffect, useState } from 'react';

/** The time, renewed every `everyMs` while `running`; for countdowns and "4 min ago". */
export function useNow(everyMs = 1000, running = true): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!running) return;
    const timer = window.setInterval(() => setNow(new Date()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs, running]);
  return now;
}
