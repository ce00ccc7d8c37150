/** `ip` and `tc` of iproute2: whether they can be used here, and how they are called. */
import { execFile } from 'node:child_process';
import { FarmError } from '../../domain/errors.ts';

const REMEDY = 'Install iproute2: apt-get install iproute2';

/** Why no lab can be built on this machine, in a sentence with what to do about it; null when one can. */
export async function whyNoLab(): Promise<string | null> {
  if (process.platform !== 'linux') return 'The network lab needs Linux, whose network namespaces it is made of.';
  for (const program of ['ip', 'tc']) {
    if (!(await runs(program, ['-V']))) return `The network lab needs "${program}", which is not installed. ${REMEDY}`;
  }
  if (process.getuid?.() !== 0) return 'The network lab needs root, since it makes network namespaces. Use sudo.';
  // Containers may be root and yet may not.
  const trial = `fwlab-trial-${process.pid}`;
  if (!(await runs('ip', ['netns', 'add', trial])))
    return 'The network lab may not make network namespaces here (CAP_SYS_ADMIN and CAP_NET_ADMIN are missing).';
  await runs('ip', ['netns', 'delete', trial]);
  return null;
}

/** @throws FarmError `PlatformUnsupported` with what `whyNoLab` says */
export async function requireLab(): Promise<void> {
  const why = await whyNoLab();
  if (why) throw new FarmError('PlatformUnsupported', why, {});
}

const runs = (program: string, args: string[]): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error === null));
  });

/** Output of a command. @throws FarmError `ServiceFailed` with what it said */
export function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else {
        const said = stderr.trim() || error.message;
        reject(new FarmError('ServiceFailed', `"${program} ${args.join(' ')}" failed: ${said}`, { program }));
      }
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Several commands of `ip` or `tc` in one process, in order. @throws FarmError `ServiceFailed` at the first that fails */
export async function runBatch(
  program: 'ip' | 'tc',
  namespace: string | null,
  lines: readonly string[],
): Promise<void> {
  const inside = namespace === null ? [] : ['-netns', namespace];
  await run(program, [...inside, '-batch', '-'], `${lines.join('\n')}\n`);
}
