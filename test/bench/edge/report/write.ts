/** Puts a report's files side by side: JSON for programs, Markdown with pictures for the repository, HTML to hand on. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { EdgeReport } from '../edgeReport.ts';
import { type Figure, figuresOf, type ReportDocument, toHtml, toMarkdown } from './document.ts';
import { documentOf } from './sections.ts';

/**
 * Writes `BASE.json`, `BASE.md`, `BASE.html` and `BASE-<figure>.svg`.
 * @param base path without an ending
 * @param model the same runs as the model has them, drawn as lines; see `modelledReport`
 * @returns paths of all files
 */
export async function writeReport(base: string, report: EdgeReport, model?: EdgeReport): Promise<string[]> {
  return writeDocument(base, documentOf(report, model), report);
}

/** The same for any document, with `data` as its JSON. */
export async function writeDocument(base: string, document: ReportDocument, data: unknown): Promise<string[]> {
  const pathOf = ({ name }: Figure): string => `${base}-${name}.svg`;
  await mkdir(dirname(base), { recursive: true });
  const files = new Map<string, string>([
    [`${base}.json`, `${JSON.stringify(data, null, 2)}\n`],
    [`${base}.md`, toMarkdown(document, (figure) => basename(pathOf(figure)))],
    [`${base}.html`, toHtml(document)],
    ...figuresOf(document).map((figure) => [pathOf(figure), `${figure.svg}\n`] as const),
  ]);
  for (const [path, content] of files) await writeFile(path, content);
  return [...files.keys()];
}
