/** Where the cells of the frame strip lie, and what stands behind each column of its overview. Pure geometry. */

export interface StripLayout {
  columns: number;
  rows: number;
  /** Distance from cell to cell, CSS pixels. */
  pitchX: number;
  pitchY: number;
  /** Room between cells, CSS pixels. */
  gap: number;
  height: number;
}

const ROW_HEIGHT = 40;
const MAX_PITCH = 44;
/** Narrowest cell of a single row that a pointer still hits. */
const MIN_SINGLE_PITCH = 9;

/**
 * One row like a timeline while every frame keeps at least nine pixels; more frames wrap into rows of small squares.
 * @param count frames  @param width room in CSS pixels
 */
export function stripLayout(count: number, width: number): StripLayout {
  const room = Math.max(1, width);
  if (count === 0) return { columns: 0, rows: 0, pitchX: 0, pitchY: 0, gap: 0, height: 0 };
  const single = room / count;
  if (single >= MIN_SINGLE_PITCH) {
    const pitchX = Math.min(single, MAX_PITCH);
    return { columns: count, rows: 1, pitchX, pitchY: ROW_HEIGHT, gap: pitchX >= 14 ? 2 : 1, height: ROW_HEIGHT };
  }
  const wanted = count > 20_000 ? 10 : count > 2_000 ? 12 : 16;
  const columns = Math.max(1, Math.min(count, Math.floor(room / wanted)));
  const pitch = room / columns;
  const rows = Math.ceil(count / columns);
  return { columns, rows, pitchX: pitch, pitchY: pitch, gap: pitch >= 12 ? 2 : 1, height: Math.ceil(rows * pitch) };
}

/** Row of the table under a point, or null between and outside cells. */
export function cellAt(layout: StripLayout, count: number, x: number, y: number): number | null {
  if (layout.columns === 0 || x < 0 || y < 0) return null;
  const column = Math.floor(x / layout.pitchX);
  const row = Math.floor(y / layout.pitchY);
  if (column >= layout.columns || row >= layout.rows) return null;
  const index = row * layout.columns + column;
  return index < count ? index : null;
}

/** Upper left corner of a cell. */
export function cellOrigin(layout: StripLayout, index: number): { x: number; y: number } {
  return {
    x: (index % layout.columns) * layout.pitchX,
    y: Math.floor(index / layout.columns) * layout.pitchY,
  };
}

/** Cells to draw for a window onto the strip: `[first, end)`. */
export function visibleCells(layout: StripLayout, count: number, top: number, height: number): [number, number] {
  if (layout.rows === 0) return [0, 0];
  const firstRow = Math.max(0, Math.floor(top / layout.pitchY));
  const endRow = Math.min(layout.rows, Math.ceil((top + height) / layout.pitchY));
  return [Math.min(count, firstRow * layout.columns), Math.min(count, endRow * layout.columns)];
}

/**
 * How many rows of each status fall into each of `bins` equal parts of the strip.
 * @returns counts by `bin * kinds + status`
 */
export function binStatuses(status: Uint8Array, bins: number, kinds: number): Uint32Array {
  const counts = new Uint32Array(bins * kinds);
  for (let index = 0; index < status.length; index++) {
    const bin = Math.floor((index * bins) / status.length);
    const at = bin * kinds + (status[index] as number);
    counts[at] = (counts[at] as number) + 1;
  }
  return counts;
}

/** Step that an arrow key makes in the strip, or null for other keys. */
export function stepOf(key: string, layout: StripLayout, index: number, count: number): number | null {
  const to = (target: number): number => Math.min(count - 1, Math.max(0, target));
  switch (key) {
    case 'ArrowRight':
      return to(index + 1);
    case 'ArrowLeft':
      return to(index - 1);
    case 'ArrowDown':
      return layout.rows > 1 ? (index + layout.columns < count ? index + layout.columns : index) : null;
    case 'ArrowUp':
      return layout.rows > 1 ? (index - layout.columns >= 0 ? index - layout.columns : index) : null;
    case 'PageDown':
      return to(index + Math.max(10, layout.columns * 8));
    case 'PageUp':
      return to(index - Math.max(10, layout.columns * 8));
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
