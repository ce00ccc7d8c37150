/**
 * Output names. A template such as `{shot}_{layer}_v{version}.{frame:04}.{ext}` is checked before a job starts, so that
 * a full night's frames never land on one name.
 */
import { FarmError } from './errors.ts';
import { checkProjectPath } from './paths.ts';

export const DEFAULT_TEMPLATE = '{shot}_{layer}_v{version}.{frame:04}.{ext}';

const FIELDS = ['shot', 'layer', 'version', 'frame', 'ext'] as const;
type Field = (typeof FIELDS)[number];

/** A literal piece of text, or a field with the number of digits it is padded to (0: none). */
type Part = string | { field: Field; width: number };

export interface NameTemplate {
  readonly text: string;
  readonly parts: readonly Part[];
}

export interface NameValues {
  shot: string;
  layer: string;
  version: number;
  frame: number;
  ext: string;
}

/** Parses and checks a template. Throws `TemplateInvalid` with the column of the mistake. */
export function parseTemplate(text: string): NameTemplate {
  const refuse = (why: string, column: number): FarmError =>
    new FarmError('TemplateInvalid', `Output template "${text}": ${why} at column ${column}.`, {
      template: text,
      column,
    });
  const parts: Part[] = [];
  const pattern = /\{([^{}]*)\}|([^{}]+)|([{}])/g;
  for (const match of text.matchAll(pattern)) {
    const column = match.index + 1;
    if (match[3] !== undefined) throw refuse(`a lone "${match[3]}"`, column);
    if (match[2] !== undefined) {
      const bad = /[^A-Za-z0-9._\-/ ]/.exec(match[2]);
      if (bad) throw refuse(`"${bad[0]}" is not allowed`, column + bad.index);
      parts.push(match[2]);
      continue;
    }
    parts.push(parseField(match[1]!, (why) => refuse(why, column)));
  }
  const template = { text, parts };
  if (!parts.some((part) => typeof part !== 'string' && part.field === 'frame')) throw refuse('{frame} is missing', 1);
  if (!parts.some((part) => typeof part !== 'string' && part.field === 'ext')) throw refuse('{ext} is missing', 1);
  try {
    checkProjectPath(formatName(template, { shot: 'shot', layer: 'beauty', version: 1, frame: 1, ext: 'exr' }));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), 1);
  }
  return template;
}

function parseField(body: string, refuse: (why: string) => FarmError): Part {
  const match = /^([a-z]+)(?::0(\d))?$/.exec(body);
  const field = match?.[1] as Field | undefined;
  if (!match || field === undefined || !FIELDS.includes(field)) throw refuse(`"{${body}}" is not a field`);
  const width = match[2] === undefined ? 0 : Number(match[2]);
  if (width > 0 && field !== 'frame' && field !== 'version') throw refuse(`{${field}} takes no width`);
  return { field, width };
}

/** Fills a template in. Unsafe characters of the shot's name become `_`. */
export function formatName(template: NameTemplate, values: NameValues): string {
  return template.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = values[part.field];
      if (typeof value === 'string') return safePart(value);
      const digits = String(Math.abs(value)).padStart(part.width, '0');
      return value < 0 ? `-${digits}` : digits;
    })
    .join('');
}

function safePart(value: string): string {
  const safe = value
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[._]+|[._]+$/g, '');
  return safe === '' ? 'shot' : safe;
}
