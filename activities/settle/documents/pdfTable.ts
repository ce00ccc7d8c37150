/** A table that goes on over pages, its head repeated on each. */
import { FONT, INK, MARGIN, MUTED, pageBottom, pageWidth, rule } from './pdfPage.ts';

export interface Column<Row> {
  title: string;
  /** Points; all columns together are the page's width. */
  width: number;
  align?: 'left' | 'right';
  value: (row: Row) => string;
}

const SIZE = 7.5;
const GAP = 6;
const PADDING = 3;

/** Draws the table at the document's position and leaves the position below it. `empty` stands for no rows. */
export function drawTable<Row>(pdf: PDFKit.PDFDocument, columns: Column<Row>[], rows: Row[], empty: string): void {
  drawHead(pdf, columns);
  for (const row of rows) {
    const cells = columns.map((column) => column.value(row));
    const height = rowHeight(pdf, columns, cells);
    if (pdf.y + height > pageBottom(pdf)) {
      pdf.addPage();
      drawHead(pdf, columns);
    }
    drawRow(pdf, columns, cells, height);
  }
  if (rows.length > 0) return;
  pdf
    .font(FONT.plain)
    .fontSize(SIZE + 1)
    .fillColor(MUTED);
  pdf.text(empty, MARGIN, pdf.y + PADDING, { width: pageWidth(pdf) });
}

function drawHead<Row>(pdf: PDFKit.PDFDocument, columns: Column<Row>[]): void {
  pdf.font(FONT.bold).fontSize(SIZE).fillColor(MUTED);
  const y = pdf.y;
  eachColumn(columns, (column, x) => pdf.text(column.title, x, y, { width: column.width - GAP, align: column.align }));
  pdf.y = y + SIZE + 5;
  rule(pdf, pdf.y);
  pdf.y += PADDING;
}

function drawRow<Row>(pdf: PDFKit.PDFDocument, columns: Column<Row>[], cells: string[], height: number): void {
  const y = pdf.y;
  pdf.font(FONT.plain).fontSize(SIZE).fillColor(INK);
  eachColumn(columns, (column, x, index) => {
    pdf.text(cells[index]!, x, y + PADDING, { width: column.width - GAP, align: column.align });
  });
  rule(pdf, y + height);
  pdf.y = y + height;
}

function rowHeight<Row>(pdf: PDFKit.PDFDocument, columns: Column<Row>[], cells: string[]): number {
  pdf.font(FONT.plain).fontSize(SIZE);
  const heights = columns.map((column, index) => pdf.heightOfString(cells[index]!, { width: column.width - GAP }));
  return Math.max(...heights) + 2 * PADDING;
}

/** The last column ends at the margin: its gap is on its left. */
function eachColumn<Row>(columns: Column<Row>[], draw: (column: Column<Row>, x: number, index: number) => void): void {
  let x = MARGIN;
  for (const [index, column] of columns.entries()) {
    draw(column, column.align === 'right' ? x + GAP : x, index);
    x += column.width;
  }
}
