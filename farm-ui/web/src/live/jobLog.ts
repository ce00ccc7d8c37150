/** The tail of a job's log: what nodes print, and what happened, in one sentence each. */
import type { JobEvent } from '../api/events.ts';

export interface LogLine {
  key: number;
  at: string;
  node: string | null;
  text: string;
  tone: 'plain' | 'good' | 'warn' | 'bad';
}

/** Lines kept on the page; the whole log comes from `farm logs`. */
export const LOG_LIMIT = 400;

/** One line for an event, or null for events that are not news (progress inside a frame, money). */
export function logLine(event: JobEvent, key: number): LogLine | null {
  const line = (text: string, node: string | null = null, tone: LogLine['tone'] = 'plain'): LogLine => ({
    key,
    at: event.at,
    node,
    text,
    tone,
  });
  switch (event.type) {
    case 'log':
      return line(event.data.line, event.data.node);
    case 'job.changed': {
      const { status, pauseReason, problem } = event.data;
      const why = problem?.detail ?? (problem as { message?: string } | null)?.message;
      const because = pauseReason === 'budget' ? ': the next frame does not fit under the cap' : why ? `: ${why}` : '';
      return line(
        `Job is ${status}${because}`,
        null,
        status === 'failed' ? 'bad' : status === 'completed' ? 'good' : 'plain',
      );
    }
    case 'stage.started':
      return line(`${event.data.stage} started`);
    case 'stage.ended':
      return line(`${event.data.stage} took ${event.data.seconds.toFixed(1)} s`, null, 'good');
    case 'chunk.leased':
      return line(`took ${framesText(event.data.frames)}`, event.data.node);
    case 'chunk.lost':
      return line(`lost its chunk (${event.data.reason}); offered again`, event.data.node, 'warn');
    case 'unit.committed':
      return line(`delivered frame ${event.data.frame} in ${event.data.renderSeconds.toFixed(1)} s`, event.data.node);
    case 'unit.refused':
      return line(`frame ${event.data.frame} refused: ${event.data.message}`, event.data.node, 'warn');
    case 'unit.late':
      return line('sent a result after its lease had ended; refused and not billed', event.data.node, 'warn');
    case 'delivery.changed': {
      const { status, delivered, of } = event.data;
      if (status === 'delivered') return line(`All ${of} frames have reached the studio`, null, 'good');
      return status === 'overdue' ? line(`${delivered} of ${of} frames have reached the studio`, null, 'warn') : null;
    }
    case 'invoice.issued':
      return line(`Invoice ${event.data.number} issued`, null, 'good');
    case 'invoice.posted':
      return line(`Invoice ${event.data.number} posted on chain`, null, 'good');
    default:
      return null;
  }
}

function framesText(frames: readonly number[]): string {
  const first = frames[0];
  const last = frames.at(-1);
  if (first === undefined || last === undefined) return 'a chunk';
  if (frames.length === 1) return `frame ${first}`;
  return last - first + 1 === frames.length ? `frames ${first}–${last}` : `${frames.length} frames from ${first}`;
}
