/** `farm merge`: sample ranges that `farm render --sample-range` wrote become frames, without a farm. */
import type { Command } from 'commander';
import type { LocalFrame } from '../../renderer/local.ts';
import { printJson, withErrors } from './run.ts';

interface MergeFlags {
  output: string;
  preview?: boolean;
  json?: boolean;
}

export function addMerge(program: Command): void {
  program
    .command('merge')
    .argument('<files...>', 'sample ranges of one frame or several: frame.0001.samples*.exr')
    .description('Merge sample ranges into frames, bit for bit as if they had been rendered at once')
    .requiredOption('-o, --output <pattern>', 'where frames go: frame.####.exr')
    .option('--preview', 'also the picture beside each EXR')
    .option('--json', 'print JSON')
    .action(withErrors(merge));
}

async function merge(files: string[], flags: MergeFlags): Promise<void> {
  const { frameTarget, mergeLocally } = await import('../../renderer/local.ts');
  const frames: Omit<LocalFrame, 'renderSeconds'>[] = [];
  await mergeLocally(files, frameTarget(flags.output), Boolean(flags.preview), (frame) => {
    frames.push(frame);
    if (!flags.json) process.stdout.write(`${frame.path}\n`);
  });
  if (flags.json) printJson({ frames });
}
