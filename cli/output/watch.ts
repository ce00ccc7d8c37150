/** Follows a job on the terminal: a bar for each stage where there is a terminal, plain lines elsewhere. */
import { MultiBar, type SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { FarmClient } from '../sdk/client.ts';
import { isFinalJob } from '../sdk/jobStatus.ts';
import type { JobEventView, JobView } from '../sdk/types.ts';
import { duration } from './duration.ts';

export interface WatchOptions {
  /** Called with every event, after it was shown. */
  onEvent?: (event: JobEventView) => void;
  /** Nothing is printed. */
  quiet?: boolean;
  signal?: AbortSignal;
}

/** Shows progress until the job is final (or `signal` aborts) and returns it as it then is. */
export async function watchJob(client: FarmClient, id: string, options: WatchOptions = {}): Promise<JobView> {
  const job = await client.job(id);
  const display = options.quiet ? silentDisplay : process.stderr.isTTY ? barDisplay(job) : lineDisplay(job);
  const stop = new AbortController();
  options.signal?.addEventListener('abort', () => stop.abort(), { once: true });
  if (options.signal?.aborted) stop.abort();
  if (isFinalJob(job.status)) stop.abort();
  try {
    for await (const event of client.events(id, { after: 0, signal: stop.signal })) {
      display.show(event);
      options.onEvent?.(event);
      if (event.type === 'job.changed' && isFinalJob(event.data.status)) stop.abort();
    }
  } finally {
    display.stop();
  }
  return client.job(id);
}

interface Display {
  show(event: JobEventView): void;
  /** A line above the bars. */
  stop(): void;
}

const silentDisplay: Display = { show: () => undefined, stop: () => undefined };

/** The line that an event is worth, or undefined when only the bars move. */
function lineOf({ type, data }: JobEventView): string | undefined {
  switch (type) {
    case 'chunk.leased':
      return takenLine(String(data.node), data.frames as number[]);
    case 'chunk.lost':
      return pc.yellow(`${data.node} lost its lease (${data.reason}); the frames are offered again`);
    case 'unit.refused':
      return pc.yellow(`frame ${data.frame} from ${data.node} refused: ${data.message}`);
    case 'unit.late':
      return pc.yellow(`a late result from ${data.node} was refused and is not billed`);
    case 'delivery.changed':
      return data.status === 'delivered' || data.status === 'overdue' ? deliveredLine(data) : undefined;
    case 'output.ready':
      return `${data.kind === 'contactSheet' ? 'contact sheet' : data.kind} ready`;
    case 'invoice.issued':
      return `invoice ${data.number}`;
    case 'invoice.posted':
      return `invoice ${data.number} on chain in ${data.transaction}`;
    case 'job.changed':
      return data.status === 'active' ? undefined : jobLine(data);
    default:
      return undefined;
  }
}

function deliveredLine({ status, delivered, of }: Record<string, unknown>): string {
  const text = `${delivered} of ${of} frames delivered`;
  return status === 'overdue' ? pc.yellow(`${text}; "farm pull" gets the others`) : text;
}

function jobLine(data: Record<string, unknown>): string {
  const problem = data.problem as { message?: string; remedy?: string } | null;
  const reason = data.pauseReason ? ` (${data.pauseReason})` : '';
  return `job ${data.status}${reason}${problem?.message ? `: ${problem.message} ${problem.remedy ?? ''}` : ''}`;
}

function takenLine(node: string, frames: number[]): string {
  const [first, last] = [frames[0], frames.at(-1)];
  // A calibration owns no frames.
  if (first === undefined) return `${node} calibrates`;
  return first === last ? `${node} takes frame ${first}` : `${node} takes frames ${first}-${last}`;
}

function lineDisplay(job: JobView): Display {
  const step = Math.max(1, Math.ceil(job.frames.total / 12));
  const print = (line: string): void => void process.stderr.write(`  ${line}\n`);
  return {
    show(event) {
      const { type, data } = event;
      if (type === 'stage.started') print(`${pc.cyan('▸')} ${data.stage}`);
      else if (type === 'stage.ended') print(`${pc.green('✓')} ${data.stage} ${duration(Number(data.seconds))}`);
      else if (type === 'unit.committed') {
        const committed = Number(data.committed);
        if (committed % step === 0 || committed === job.frames.total) {
          print(`  ${committed} of ${job.frames.total} frames committed`);
        }
      } else {
        const line = lineOf(event);
        if (line) print(`  ${line}`);
      }
    },
    stop: () => undefined,
  };
}

function barDisplay(job: JobView): Display {
  const multi = new MultiBar(
    {
      format: `  {mark} {stage} {bar} {detail}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 32,
      hideCursor: true,
      clearOnComplete: false,
      fps: 12,
    },
    undefined,
  );
  const bars = new Map<string, SingleBar>();
  for (const { stage, state, seconds } of job.stages) {
    const done = state === 'done';
    const detail = done && seconds !== null ? duration(seconds) : '';
    bars.set(
      stage,
      multi.create(1, done ? 1 : 0, { mark: done ? pc.green('✓') : ' ', stage: stage.padEnd(8), detail }),
    );
  }
  const set = (stage: unknown, fraction: number, mark: string, detail: string): void =>
    bars.get(String(stage))?.update(fraction, { mark, detail });
  return {
    show(event) {
      const { type, data } = event;
      if (type === 'stage.started') set(data.stage, 0, pc.cyan('▸'), '');
      else if (type === 'stage.progress') set(data.stage, Number(data.fraction), pc.cyan('▸'), '');
      else if (type === 'stage.ended') set(data.stage, 1, pc.green('✓'), duration(Number(data.seconds)));
      else if (type === 'unit.committed') {
        const committed = Number(data.committed);
        const text = `${committed}/${job.frames.total} frames`;
        for (const stage of ['render', 'verify']) set(stage, committed / job.frames.total, pc.cyan('▸'), text);
      }
      const line = lineOf(event);
      if (line) multi.log(`    ${line}\n`);
    },
    stop: () => multi.stop(),
  };
}
