/**
 * The model of the farm's data plane: what centre and edge take for a job, on links and at sizes that no machine here holds.
 *
 *     npm run sim:edge [-- --help]
 *
 * Nothing is measured or rendered: time is computed. `--validate` holds the model against measured runs.
 */
import { writeFile } from 'node:fs/promises';
import { ERROR_CATALOGUE, FarmError, toProblem } from '../../domain/errors.ts';
import { writeReport } from '../bench/edge/report/write.ts';
import { type Comparison, compare, type Side } from './compare.ts';
import { modelledReport } from './modelReport.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { comparisonTable, verdict } from './print.ts';

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options = readOptions(args);
  if (options.isScale || options.validate.length > 0) {
    throw new FarmError('SettingInvalid', 'The model does not do --scale and --validate yet.', {});
  }
  await answer(options);
}

async function answer({ question, json, report }: Options): Promise<void> {
  const comparison = compare(question);
  process.stdout.write(`${comparisonTable(comparison)}\n\n${verdict(comparison, question)}\n`);
  if (report) {
    const files = await writeReport(report, modelledReport(question, new Date().toISOString()));
    process.stdout.write(`\n${files.join('\n')}\n`);
  }
  if (json) await writeFile(json, `${JSON.stringify(documentOf(comparison), null, 2)}\n`);
}

/** As JSON: without the time of every single frame. */
function documentOf({ centre, edge, ratio, limitRatio }: Comparison): object {
  const side = ({ outcome: { deliveredAt, ...outcome }, limit, share }: Side): object => ({ ...outcome, limit, share });
  return { formatVersion: 1, model: true, centre: side(centre), edge: side(edge), ratio, limitRatio };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const { code, message, remedy } = toProblem(error);
  process.stderr.write(`${code}: ${message}\n${remedy}\n`);
  process.exitCode = ERROR_CATALOGUE[code].exitCode;
}
