/** `farm pull`: frames of a job to a folder or a bucket, while it renders or afterwards. */
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { connect } from '../connection.ts';
import { bytes } from '../output/duration.ts';
import { type PullOptions, pullJob } from '../sdk/pull.ts';
import { interruptible } from './interrupt.ts';
import { printJson, withErrors } from './run.ts';
import { bucketOf, folderOf, pullCommand, type TargetFlags, targetText } from './target.ts';

interface PullFlags extends TargetFlags {
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
    .option('--to <target>', 'where the files go: a folder or s3://bucket/prefix (default: <shot>_v<version>)')
    .option(
      '--to-endpoint <url>',
      'with a bucket: where its S3 is (else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, Amazon)',
    )
    .option('--wait', 'stay until the job is settled, taking frames as they are committed')
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
        const target = (await bucketOf(flags)) ?? folderOf(flags, await client.job(id));
        const to = targetText(target);
        const onFile: PullOptions['onFile'] = (name, { sizeBytes, skipped }) =>
          process.stderr.write(`  ${skipped ? pc.dim('=') : pc.green('↓')} ${name} ${pc.dim(bytes(sizeBytes))}\n`);
        const left = {
          stopped: `Stopped; what arrived whole is in ${to}.`,
          remedy: 'Pull again: what is there is not sent twice.',
        };
        const result = await interruptible(left, (signal) =>
          pullJob(client, id, {
            ...target,
            ...{ signal, wait: Boolean(flags.wait), previews: Boolean(flags.previews), transit: flags.transit },
            onNote: (note) => process.stderr.write(`${note}\n`),
            ...(flags.json ? {} : { onFile }),
          }),
        );
        if (flags.json) printJson({ [target.bucket ? 'bucket' : 'folder']: to, ...result });
        else {
          const kept = result.frames === 1 ? '1 frame' : `${result.frames} frames`;
          process.stdout.write(`${kept} in ${to}; ${result.downloaded} files (${bytes(result.bytes)}) downloaded\n`);
          if (result.toCome > 0) {
            const count = result.toCome + result.frames;
            process.stderr.write(`${result.toCome} of ${count} frames are still to come; to wait for them:\n`);
            process.stderr.write(`  ${pullCommand(id, target, flags)}\n`);
          }
        }
      }),
    );
}
