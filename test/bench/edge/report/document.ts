/** A report as a list of parts, and how it becomes Markdown or one HTML page. Texts are plain: neither markup nor HTML. */

export interface ReportDocument {
  title: string;
  /** One line below it. */
  subtitle: string;
  /** Said before everything else, where a reader must not miss it. */
  banner: string | null;
  /** The figures that people came for. */
  headline: { value: string; label: string; note: string }[];
  sections: Section[];
}

export interface Section {
  title: string;
  blocks: Block[];
}

export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'figure'; figure: Figure };

export interface Figure {
  /** Part of a file's name. */
  name: string;
  /** What the picture shows, for those who do not see it. */
  alt: string;
  caption: string;
  svg: string;
}

/** All figures, in order. */
export function figuresOf({ sections }: ReportDocument): Figure[] {
  return sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure] : [])));
}

/** @param fileOf path of a figure's SVG, relative to the Markdown file */
export function toMarkdown(document: ReportDocument, fileOf: (figure: Figure) => string): string {
  const parts = [`# ${document.title}`, document.subtitle];
  if (document.banner) parts.push(`> ${document.banner}`);
  parts.push(
    markdownTable(
      ['', '', ''],
      document.headline.map(({ value, label, note }) => [`**${value}**`, label, note]),
    ),
  );
  for (const { title, blocks } of document.sections) {
    parts.push(`## ${title}`);
    for (const block of blocks) parts.push(markdownOf(block, fileOf));
  }
  return `${parts.join('\n\n')}\n`;
}

function markdownOf(block: Block, fileOf: (figure: Figure) => string): string {
  switch (block.kind) {
    case 'text':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'table':
      return markdownTable(block.head, block.rows);
    case 'figure':
      return `![${block.figure.alt}](${fileOf(block.figure)})\n\n_${block.figure.caption}_`;
  }
}

function markdownTable(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, column) => (isNumeric(rows, column) ? '---:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Columns of figures stand to the right. */
const isNumeric = (rows: readonly string[][], column: number): boolean =>
  column > 0 &&
  rows.some((row) => /\d/.test(row[column] ?? '')) &&
  rows.every((row) => /^(—|[\d.,:×%–-]|\s|s|min|h|[kMGT]?B|€|EUR|USD|CMP)*$/.test(row[column] ?? ''));

/** One page without anything to load: style and pictures are inside. */
export function toHtml(document: ReportDocument): string {
  const cards = document.headline
    .map(
      ({ value, label, note }) =>
        `<div class="card"><div class="value">${escaped(value)}</div><div class="label">${escaped(label)}</div><div class="note">${escaped(note)}</div></div>`,
    )
    .join('\n');
  const sections = document.sections
    .map(({ title, blocks }) => `<section><h2>${escaped(title)}</h2>\n${blocks.map(htmlOf).join('\n')}</section>`)
    .join('\n');
  const banner = document.banner ? `<p class="banner">${escaped(document.banner)}</p>` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(document.title)}</title><style>${STYLE}</style></head>
<body><main><header><h1>${escaped(document.title)}</h1><p class="subtitle">${escaped(document.subtitle)}</p>${banner}</header>
<div class="cards">${cards}</div>
${sections}</main></body></html>
`;
}

function htmlOf(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escaped(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ul>`;
    case 'table': {
      const align = block.head.map((_, column) => (isNumeric(block.rows, column) ? ' class="number"' : ''));
      const cells = (row: readonly string[], tag: string): string =>
        row.map((cell, column) => `<${tag}${align[column]}>${escaped(cell)}</${tag}>`).join('');
      const rows = block.rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
      return `<div class="wide"><table><thead><tr>${cells(block.head, 'th')}</tr></thead><tbody>${rows}</tbody></table></div>`;
    }
    case 'figure':
      return `<figure role="group" aria-label="${escaped(block.figure.alt)}">${block.figure.svg}<figcaption>${escaped(block.figure.caption)}</figcaption></figure>`;
  }
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `
:root{color-scheme:light;--ink:#1d2430;--faint:#5d6673;--line:#dfe3e8;--edge:#0067a5}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:820px;margin:0 auto;padding:44px 28px 80px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:20px;margin:44px 0 10px;padding-top:18px;border-top:1px solid var(--line)}
.subtitle{color:var(--faint);margin:0}
.banner{margin:18px 0 0;padding:10px 14px;border-left:4px solid #c2540a;background:#fdf3ec}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(172px,1fr));gap:14px;margin:28px 0 8px}
.card{border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.value{font-size:23px;white-space:nowrap;font-weight:650;letter-spacing:-.02em;line-height:1.15;font-variant-numeric:tabular-nums}
.card:first-child{background:#eef6fb;border-color:#b9d8ea}.card:first-child .value{color:var(--edge)}
.label{font-weight:600;margin-top:4px}.note{color:var(--faint);font-size:14px;line-height:1.4}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14.5px;font-variant-numeric:tabular-nums;margin:10px 0}
th,td{text-align:left;padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--faint)}
.number{text-align:right;white-space:nowrap}th.number{white-space:normal}
td.number+td:not(.number),th.number+th:not(.number){padding-left:10px}
figure{margin:18px 0}figure svg{width:100%;height:auto;display:block}
figcaption{color:var(--faint);font-size:14px;margin-top:4px}
@media print{main{padding:0;max-width:none}figure,.wide,.card{break-inside:avoid}}
`;
