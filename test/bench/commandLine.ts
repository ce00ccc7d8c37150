/** The command line of the programs that npm runs beside the tests: benchmarks, and checks against other people's software. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ERROR_CATALOGUE, FarmError, toProblem } from '../../domain/errors.ts';

type Flags = NonNullable<ParseArgsConfig['options']>;
export type FlagValues<F extends Flags> = ReturnType<typeof parseArgs<{ options: F }>>['values'];

/**
 * What this process was asked for. `--help` prints the usage and ends it; so does, with one error and its exit code, a flag that
 * is not there or that `read` refuses. Call it before anything is begun.
 * @param usage begins with `npm run NAME`
 * @param read makes of the flags what the program goes by; throws `FarmError`
 */
export function readCommandLine<F extends Flags, T>(usage: string, flags: F, read: (values: FlagValues<F>) => T): T {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return read(parseFlags(process.argv.slice(2), flags));
  } catch (error) {
    reportError(error, usage);
    process.exit();
  }
}

/** @throws FarmError `SettingInvalid` for a flag that is not there, or lacks its value */
function parseFlags<F extends Flags>(args: readonly string[], flags: F): FlagValues<F> {
  try {
    return parseArgs<{ args: string[]; options: F }>({ args: [...args], options: flags }).values;
  } catch (error) {
    throw new FarmError('SettingInvalid', (error as Error).message);
  }
}

/** Prints code, message and remedy (of a defect its stack) and sets the exit code of the catalogue. */
export function reportError(error: unknown, usage: string): void {
  const { code, message, remedy } = toProblem(error);
  const what = error instanceof Error && code === 'Internal' ? error.stack : message;
  const help = `"${usage.split(' ').slice(0, 3).join(' ')} -- --help" tells what there is.`;
  process.stderr.write(`${code}: ${what}\n${remedy}${code === 'SettingInvalid' ? ` ${help}` : ''}\n`);
  process.exitCode = ERROR_CATALOGUE[code].exitCode;
}

/** The names of a comma-separated flag. @throws FarmError `SettingInvalid` for one that is not among `names` */
export function someOf<T extends string>(flag: string, text: string, names: readonly T[]): T[] {
  return text.split(',').map((asked) => {
    const found = names.find((name) => name === asked);
    if (found !== undefined) return found;
    throw invalid(flag, asked, `some of ${names.join(', ')}`);
  });
}

/** @param least `Number.MIN_VALUE`: any above 0. @throws FarmError `SettingInvalid` */
export function numberOf(flag: string, text: string, least: number, isWhole = false): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < least || (isWhole && !Number.isInteger(value))) {
    const from = least === Number.MIN_VALUE ? 'above 0' : `from ${least} on`;
    throw invalid(flag, text, `a ${isWhole ? 'whole ' : ''}number ${from}`);
  }
  return value;
}

/** @throws FarmError `SettingInvalid` */
export const wholeNumber = (flag: string, text: string, least: number): number => numberOf(flag, text, least, true);

/** @throws FarmError `SettingInvalid` */
export function pictureSize(flag: string, text: string): { width: number; height: number } {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? [];
  if (width && height) return { width: Number(width), height: Number(height) };
  throw invalid(flag, text, 'a width and height such as 192x108');
}

/** @param wanted what it must be instead */
export const invalid = (flag: string, text: string, wanted: string): FarmError =>
  new FarmError('SettingInvalid', `--${flag} must be ${wanted}, not "${text}".`, { setting: flag });
