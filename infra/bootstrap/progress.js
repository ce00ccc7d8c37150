/**
 * Progress of several things at once: lines that are rewritten on a terminal, plain lines elsewhere (a start, a sign of
 * life every 15 s, an end).
 */
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SIGN_OF_LIFE_MS = 15_000;

/**
 * @param {{quiet?: boolean, stream?: NodeJS.WriteStream}} [options] quiet prints nothing but what failed
 */
export function createProgress({ quiet = false, stream = process.stderr } = {}) {
  const live = Boolean(stream.isTTY) && !quiet;
  const tasks = [];
  let drawn = 0;
  let tick = 0;
  let timer;

  const line = (task) => {
    const mark = { running: SPINNER[tick % SPINNER.length], done: '✓', failed: '✗' }[task.state];
    const width = (stream.columns || 100) - 1;
    return `${mark} ${task.name}${task.detail ? `: ${task.detail}` : ''} (${seconds(task)})`.slice(0, width);
  };
  const draw = () => {
    if (!live) return;
    tick += 1;
    const up = drawn > 0 ? `\x1b[${drawn}A` : '';
    stream.write(up + tasks.map((task) => `\x1b[2K${line(task)}\n`).join(''));
    drawn = tasks.length;
  };
  const tellPlain = (task) => {
    task.toldAt = Date.now();
    if (!live && (!quiet || task.state === 'failed'))
      stream.write(`${task.state === 'running' ? '·' : line(task)[0]} ${line(task).slice(2)}\n`);
  };
  const beat = () => {
    draw();
    for (const task of tasks) {
      if (task.state === 'running' && Date.now() - task.toldAt > SIGN_OF_LIFE_MS) tellPlain(task);
    }
    if (!tasks.some((task) => task.state === 'running')) {
      clearInterval(timer);
      timer = undefined;
      tasks.length = 0;
      drawn = 0;
    }
  };

  return {
    /** Starts a line. `update` changes what it says, `done` and `failed` end it. */
    task(name, detail = '') {
      const task = { name, detail, state: 'running', startedAt: Date.now(), endedAt: 0, toldAt: 0 };
      tasks.push(task);
      timer ??= setInterval(beat, live ? 100 : 1000);
      tellPlain(task);
      draw();
      const end = (state) => (last) => {
        Object.assign(task, { state, endedAt: Date.now() }, last === undefined ? {} : { detail: last });
        tellPlain(task);
        beat();
      };
      return {
        update(next) {
          task.detail = next;
        },
        done: end('done'),
        failed: end('failed'),
      };
    },
  };
}

/** `44.5 MB` */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

function seconds(task) {
  return `${(((task.endedAt || Date.now()) - task.startedAt) / 1000).toFixed(1)} s`;
}
