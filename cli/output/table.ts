/** Tables for terminals: left-aligned text, right-aligned numbers, no borders. */
import pc from 'picocolors';

export interface Column<T> {
  title: string;
  value: (row: T) => string;
  right?: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes take no room on the screen
const visible = (text: string): number => text.replace(/\u001b\[[0-9;]*m/g, '').length;

/** Formats rows; an empty list gives the header alone. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => visible(row[i]!))));
  const pad = (text: string, i: number): string => {
    const space = ' '.repeat(Math.max(0, widths[i]! - visible(text)));
    return columns[i]!.right ? space + text : text + space;
  };
  const line = (row: string[]): string => row.map(pad).join('  ').trimEnd();
  return [pc.dim(line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n');
}
