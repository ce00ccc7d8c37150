/** `farm pull`: frames of a job to a folder, while it renders or afterwards. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { connect } from '../connection.ts';
import { bytes } from '../output/duration.ts';
import { pullJob } from '../sdk/pull.ts';
import type { JobView } from '../sdk/types.ts';
import { printJson, withErrors } from './run.ts';

/** `<shot>_v<version>` in the current folder. */
export function defaultFolder(job: JobView): string {
  return resolve(`${job.name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}_v${job.version ?? 1}`);
}

interface PullFlags {
  to?: string;
  wait?: boolean;
  previews?: boolean;
  transit: 'auto' | 'on' | 'off';
  json?: boolean;
}

export function addPull(program: Command): void {
  program
    .command('pull')
    .argument('<job>', 'id of the job')
    .description('Download frames, film, contact sheet and manifest; goes on where it was interrupted')
    .option('--to <folder>', 'where the files go (default: <shot>_v<version>)')
    .option('--wait', 'stay until the job has ended, taking frames as they are committed')
    .option('--previews', 'also the tone-mapped pictures (PNG)')
    .addOption(
      new Option('--transit <how>', 'lossless compression on the way, same bytes on disk')
        .choices(['auto', 'on', 'off'])
        .default('auto'),
    )
    .option('--json', 'print JSON')
    .action(
      withErrors(async (id: string, flags: PullFlags) => {
        const client = connect();
        const folder = resolve(flags.to ?? defaultFolder(await client.job(id)));
        const result = await pullJob(client, id, {
          folder,
          wait: Boolean(flags.wait),
          previews: Boolean(flags.previews),
          transit: flags.transit,
          ...(flags.json
            ? {}
            : {
                onFile: (name, { sizeBytes, skipped }) =>
                  process.stderr.write(
                    `  ${skipped ? pc.dim('=') : pc.green('↓')} ${name} ${pc.dim(bytes(sizeBytes))}\n`,
                  ),
              }),
        });
        if (flags.json) printJson({ folder, ...result });
        else {
          const kept = result.frames === 1 ? '1 frame' : `${result.frames} frames`;
          process.stdout.write(
            `${kept} in ${folder}; ${result.downloaded} files (${bytes(result.bytes)}) downloaded\n`,
          );
        }
      }),
    );
}
