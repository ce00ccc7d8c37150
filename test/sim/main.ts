/**
 * The model of the farm's data plane: what centre and edge take for a job, on links and at sizes that no machine here holds.
 *
 *     npm run sim:edge [-- --help]
 *
 * Nothing is measured or rendered: time is computed. `--validate` holds the model against measured runs.
 */
import { writeFile } from 'node:fs/promises';
import { reportError } from '../bench/commandLine.ts';
import { toMarkdown } from '../bench/edge/report/document.ts';
import { writeDocument, writeReport } from '../bench/edge/report/write.ts';
import { type Comparison, compare, type Side } from './compare.ts';
import { modelledReport } from './modelReport.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { comparisonTable, validationTable, verdict } from './print.ts';
import { runScale, scaleDocument } from './scale.ts';
import { questionOf, readReport, validate } from './validate.ts';

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options = readOptions(args);
  if (options.from) await draw(options.from, options.report ?? options.from.replace(/\.json$/, ''));
  else if (options.validate.length > 0) await check(options);
  else if (options.isScale) await scale(options);
  else await answer(options);
}

/** A measured report with the model's lines beside its dots. */
async function draw(path: string, base: string): Promise<void> {
  const report = await readReport(path);
  const question = questionOf(report);
  const model = question && modelledReport(question, report.startedAt);
  process.stdout.write(`${(await writeReport(base, report, model ?? undefined)).join('\n')}\n`);
}

/** What this process computed so far: a busy machine does not count. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Ends with code 1 when the model does not hold. */
async function check({ validate: files, question, json, costs }: Options): Promise<void> {
  const validation = await validate(files, question.farm, costs);
  process.stdout.write(`${validationTable(validation)}\n`);
  if (json) await writeFile(json, `${JSON.stringify(validation, null, 2)}\n`);
  if (!validation.holds) process.exitCode = 1;
}

async function scale({ question, json, report }: Options): Promise<void> {
  const result = runScale(question, cpuMilliseconds, (line) => void process.stderr.write(`${line}\n`));
  const document = scaleDocument(result, question);
  process.stdout.write(toMarkdown(document, ({ name }) => name));
  if (report) process.stdout.write(`\n${(await writeDocument(report, document, result)).join('\n')}\n`);
  if (json) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
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
  reportError(error, USAGE);
}
