import { ArrowDownToLine } from 'lucide-react';
import { useLayoutEffect, useRef, useState } from 'react';
import { useJobPart } from '../live/useJob.ts';
import { Button } from '../ui/Button.tsx';

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The newest lines, kept in view unless somebody scrolled back. */
export function LogTail() {
  const { log, id } = useJobPart('log');
  const box = useRef<HTMLDivElement>(null);
  const [pinned, setPinned] = useState(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason to scroll
  useLayoutEffect(() => {
    if (pinned && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [log, pinned]);
  return (
    <section className="panel log" aria-label="Log">
      <header className="panel-head">
        <h2>Log</h2>
        {!pinned && (
          <Button tone="quiet" icon={<ArrowDownToLine size={14} />} onClick={() => setPinned(true)}>
            To the end
          </Button>
        )}
      </header>
      <div
        ref={box}
        className="log-lines mono"
        role="log"
        aria-label="Newest lines"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: at }) => setPinned(at.scrollHeight - at.scrollTop - at.clientHeight < 24)}
      >
        {log.length === 0 && <p className="faint">Nothing yet. “farm logs {id.slice(0, 8)}” shows the same.</p>}
        {log.map((line) => (
          <p key={line.key} className={`tone-line-${line.tone}`}>
            <time>{clock.format(new Date(line.at))}</time>
            {line.node !== null && <b>{line.node}</b>}
            <span>{line.text}</span>
          </p>
        ))}
      </div>
    </section>
  );
}
