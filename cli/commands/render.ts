/** `farm render`: frames on this machine, without a farm. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, extname, relative } from 'node:path';
import { MultiBar } from 'cli-progress';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { FrameTarget, LocalFrame, LocalShot, SampleRange } from '../../renderer/local.ts';
import { duration } from '../output/duration.ts';
import { Interrupted } from '../output/report.ts';
import { refuse } from '../sdk/errors.ts';
import { addSettingFlags, requestOf, type SettingFlags } from '../settings/flags.ts';
import { EXIT_CODES, type Signal } from './interrupt.ts';
import { printJson, withErrors } from './run.ts';

/** That the tracer takes (`createCpuTracer`), which is too large to be loaded for a flag. */
const MOST_THREADS = 256;

interface RenderFlags extends SettingFlags {
  output?: string;
  skipExisting?: boolean;
  preview?: boolean;
  sampleRange?: string;
  threads?: string;
  json?: boolean;
}

export function addRender(program: Command): void {
  const command = program
    .command('render')
    .argument('<scene>', 'a .glb or .gltf file, or a folder that holds one')
    .description('Render on this machine, without a farm: same flags, same bits')
    .option(
      '-o, --output <pattern>',
      'where frames go: frame.####.exr, or .png, .tif, .webp, .jpg (default: the scene’s name)',
    )
    .option('--skip-existing', 'leave frames that are there already; goes on after an interruption')
    .option('--preview', 'also the picture beside each EXR')
    .option(
      '--sample-range <first-last>',
      'only these of the samples, such as 0-31, to be merged with the others (farm merge)',
    )
    .option('--threads <n>', 'threads to render with (default: all)')
    .option('--json', 'print JSON');
  addSettingFlags(command).action(withErrors(render));
}

async function render(scene: string, flags: RenderFlags): Promise<void> {
  const asked = requestOf(flags);
  const threads = threadsOf(flags.threads);
  const samples = flags.sampleRange === undefined ? undefined : sampleRangeOf(flags.sampleRange);
  // The engine is large; what is wrong with the flags shows before it is loaded.
  const { frameTarget, openEngine, openShot, partTarget, renderShot } = await import('../../renderer/local.ts');
  const whole = frameTarget(flags.output ?? `${basename(scene, extname(scene))}.####.exr`);
  const target = samples ? partTarget(whole, samples) : whole;
  if (target.picture) {
    const picture = asked.output?.picture ?? target.picture;
    if (picture !== target.picture) {
      throw refuse(
        'SettingInvalid',
        `-o asks for ${target.picture} and --picture for ${picture}.`,
        'Leave --picture out.',
        {
          setting: 'output.picture',
          value: picture,
        },
      );
    }
    asked.output = { ...asked.output, picture };
  }
  const stop = new AbortController();
  let stoppedBy: Signal = 'SIGINT';
  const interrupt = (signal: Signal): void => {
    stoppedBy = signal;
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const engine = openEngine();
  const began = performance.now();
  let display: Display | undefined;
  try {
    const shot = await openShot(engine, scene, asked);
    const frames = shot.frames.filter((frame) => !(flags.skipExisting && existsSync(target.pathOf(frame))));
    if (!flags.json) describe(shot, target, frames.length);
    const done: LocalFrame[] = [];
    display = createDisplay(shot, frames.length, Boolean(flags.json));
    const warned = new Set(shot.inspection.warnings.map(({ message }) => message));
    const rendering = renderShot(engine, {
      ...{ shot, frames, target, samples, threads, signal: stop.signal },
      previews: Boolean(flags.preview),
      onFrame: (frame) => {
        done.push(frame);
        display?.frame(frame);
      },
      onProgress: (frame, fraction) => display?.progress(frame, fraction),
      onLog: (line) => {
        if (!warned.has(line)) display?.line(line);
      },
    });
    await rendering.catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    display.stop();
    if (stop.signal.aborted) throw stopped(done.length, stoppedBy);
    const seconds = (performance.now() - began) / 1000;
    const skipped = shot.frames.length - frames.length;
    if (flags.json) {
      // Without a frame no tracer was loaded.
      const build = done.length > 0 ? engine.build : null;
      const { warnings } = shot.inspection;
      printJson({ build, settings: shot.settings, warnings, seconds, skipped, frames: done });
    } else summarise(done, skipped, seconds);
  } finally {
    display?.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await engine.close();
  }
}

function threadsOf(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  const threads = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= MOST_THREADS) return threads;
  throw refuse('SettingInvalid', `--threads is "${text}".`, `Give a whole number from 1 to ${MOST_THREADS}.`, {
    setting: 'threads',
    value: text,
  });
}

/** First and last, both included, as in file names and `farm repro`. */
function sampleRangeOf(text: string): SampleRange {
  const [, first, last] = /^(\d{1,6})-(\d{1,6})$/.exec(text.trim()) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) {
    return { start: Number(first), count: Number(last) - Number(first) + 1 };
  }
  throw refuse('SettingInvalid', `--sample-range is "${text}".`, 'Write first and last sample, such as 0-31.', {
    setting: 'samples',
    value: text,
  });
}

const stopped = (count: number, signal: Signal): Interrupted =>
  new Interrupted(
    `Stopped; ${count === 1 ? '1 whole frame is' : `${count} whole frames are`} there.`,
    'Go on with the same command and --skip-existing.',
    EXIT_CODES[signal],
  );

/** What is about to be rendered, for people. */
function describe({ inspection, settings, files }: LocalShot, target: FrameTarget, count: number): void {
  const { technique, width, height, samples, camera } = settings;
  const quality = technique === 'pathtrace' ? `${samples} samples` : technique;
  process.stderr.write(
    `${pc.bold(files.main)}  ${count} ${count === 1 ? 'frame' : 'frames'}, ${width}×${height}, ${quality}${camera ? `, camera ${camera}` : ''}, ${target.extension}\n`,
  );
  for (const { message } of inspection.warnings) process.stderr.write(`  ${pc.yellow('!')} ${message}\n`);
}

function summarise(done: LocalFrame[], skipped: number, seconds: number): void {
  const kept = skipped > 0 ? `, ${skipped} there already` : '';
  process.stdout.write(`${done.length} ${done.length === 1 ? 'frame' : 'frames'} in ${duration(seconds)}${kept}\n`);
}

interface Display {
  progress(frame: number, fraction: number): void;
  frame(frame: LocalFrame): void;
  line(text: string): void;
  stop(): void;
}

/** A bar where there is a terminal, a line for each frame elsewhere, nothing beside JSON. */
function createDisplay(shot: LocalShot, total: number, quiet: boolean): Display {
  if (quiet || total === 0) return { progress() {}, frame() {}, line() {}, stop() {} };
  const say = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const frameLine = ({ path, renderSeconds, rays }: LocalFrame): string => {
    const facts = [duration(renderSeconds), raysText(rays / renderSeconds)].filter((text) => text !== '').join(', ');
    return `  ${pc.green('✓')} ${relative(process.cwd(), path)}  ${pc.dim(facts)}`;
  };
  if (!process.stderr.isTTY) {
    return { progress() {}, frame: (frame) => say(frameLine(frame)), line: say, stop() {} };
  }
  return createBar(shot, total, frameLine);
}

const raysText = (perSecond: number): string =>
  Number.isFinite(perSecond) && perSecond > 0 ? `${(perSecond / 1e6).toFixed(perSecond < 1e7 ? 2 : 0)} M rays/s` : '';

function createBar({ settings }: LocalShot, total: number, frameLine: (frame: LocalFrame) => string): Display {
  const bars = new MultiBar({
    format: '  {bar} {percent} %  frame {frame} ({number} of {count})  {samples}{left}{rate}',
    barsize: 28,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  const began = performance.now();
  let done = 0;
  let rays = 0;
  let seconds = 0;
  let isRunning = true;
  const payload = (frame: number | string, fraction: number): object => {
    const share = (done + fraction) / total;
    const elapsed = (performance.now() - began) / 1000;
    const left = share > 0.01 ? `, ${duration((elapsed / share) * (1 - share))} left` : '';
    return {
      ...{ frame, left, number: Math.min(total, done + 1), count: total },
      percent: String(Math.floor(share * 100)).padStart(3),
      samples:
        settings.technique === 'pathtrace'
          ? `sample ${Math.round(fraction * settings.samples)}/${settings.samples}`
          : '',
      rate: seconds > 0 ? `, ${raysText(rays / seconds)}` : '',
    };
  };
  const bar = bars.create(1000 * total, 0, payload('–', 0));
  // Above the bar.
  const say = (text: string): void => bars.log(`${text}\n`);
  return {
    progress: (frame, fraction) => bar.update(Math.round(1000 * (done + fraction)), payload(frame, fraction)),
    frame: (frame) => {
      done += 1;
      rays += frame.rays;
      seconds += frame.renderSeconds;
      say(frameLine(frame));
      bar.update(1000 * done, payload(frame.frame, 0));
    },
    line: say,
    stop: () => {
      if (!isRunning) return;
      // Writes what was logged last.
      bars.update();
      bars.stop();
      isRunning = false;
    },
  };
}
