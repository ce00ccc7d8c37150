/** Draws the frame strip: every status has a colour and, beside it, a form of its own. */
import { type FrameTable, UNIT_STATUSES } from '../live/frameTable.ts';
import { cellOrigin, type StripLayout, visibleCells } from './stripLayout.ts';

export type StripMode = 'status' | 'time';

/** Colours as CSS strings, from the page's tokens. */
export interface StripPalette {
  empty: string;
  dot: string;
  live: string;
  liveDim: string;
  done: string;
  doneDim: string;
  bad: string;
  badDim: string;
  warn: string;
  ink: string;
  ground: string;
  /** Ramp from quick to slow. */
  ramp: string[];
}

/** Reads the tokens as they are now, dark or light. */
export function readPalette(element: Element): StripPalette {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    empty: token('--cell'),
    dot: token('--cell-dot'),
    live: token('--live-fill'),
    liveDim: token('--live-dim'),
    done: token('--done-fill'),
    doneDim: token('--done-dim'),
    bad: token('--bad-fill'),
    badDim: token('--bad-dim'),
    warn: token('--warn-fill'),
    ink: token('--text'),
    ground: token('--panel'),
    ramp: [1, 2, 3, 4, 5, 6].map((step) => token(`--ramp-${step}`)),
  };
}

interface StripView {
  layout: StripLayout;
  mode: StripMode;
  /** Scroll position and size of the window, CSS pixels. */
  top: number;
  width: number;
  height: number;
  selected: number | null;
  hovered: number | null;
}

/** Draws the part of the strip in the window. The context is scaled to device pixels already. */
export function drawStrip(
  context: CanvasRenderingContext2D,
  table: FrameTable,
  palette: StripPalette,
  view: StripView,
): void {
  const { layout, top } = view;
  context.clearRect(0, 0, view.width, view.height);
  const [first, end] = visibleCells(layout, table.length, top, view.height);
  const width = Math.max(1, layout.pitchX - layout.gap);
  const height = Math.max(1, layout.pitchY - layout.gap);
  for (let index = first; index < end; index++) {
    const { x, y } = cellOrigin(layout, index);
    drawCell(context, table, palette, view.mode, index, x, y - top, width, height);
  }
  for (const index of [view.hovered, view.selected]) {
    if (index === null || index < first || index >= end) continue;
    const { x, y } = cellOrigin(layout, index);
    outline(context, palette, x, y - top, width, height, index === view.selected);
  }
}

function drawCell(
  context: CanvasRenderingContext2D,
  table: FrameTable,
  palette: StripPalette,
  mode: StripMode,
  index: number,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const fill = (colour: string): void => {
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  };
  switch (UNIT_STATUSES[table.status[index] as number]) {
    case 'committed': {
      fill(mode === 'time' ? rampColour(palette, table.seconds[index] as number, table.maxSeconds) : palette.done);
      if ((table.warned[index] as number) > 0) corner(context, palette.warn, x, y, width, height);
      return;
    }
    case 'leased': {
      fill(palette.liveDim);
      hatch(context, palette.live, x, y, width, height, 0.5);
      const share = table.fraction[index] as number;
      context.fillStyle = palette.live;
      context.fillRect(x, y + height * (1 - share), width, height * share);
      return;
    }
    case 'uploaded':
    case 'verified':
      fill(palette.doneDim);
      hatch(context, palette.done, x, y, width, height, 0.9);
      return;
    case 'failed':
      fill(palette.badDim);
      cross(context, palette.bad, x, y, width, height);
      return;
    case 'cancelled':
      fill(palette.empty);
      context.strokeStyle = palette.dot;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x + 1, y + height - 1);
      context.lineTo(x + width - 1, y + 1);
      context.stroke();
      return;
    case 'offered':
      fill(palette.empty);
      dot(context, palette.dot, x, y, width, height);
      return;
    default:
      fill(palette.empty);
  }
}

/** Six steps from quick to slow, over the slowest frame so far. */
function rampStep(seconds: number, maxSeconds: number): number {
  if (maxSeconds <= 0) return 0;
  return Math.min(5, Math.floor((seconds / maxSeconds) * 6));
}

const rampColour = (palette: StripPalette, seconds: number, maxSeconds: number): string =>
  palette.ramp[rampStep(seconds, maxSeconds)] ?? palette.done;

function hatch(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
  alpha: number,
): void {
  if (width < 4) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height; at < x + width; at += 5) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

function cross(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const size = Math.min(width, height, 14) * 0.32;
  const middleX = x + width / 2;
  const middleY = y + height / 2;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1.2, size / 3);
  context.beginPath();
  context.moveTo(middleX - size, middleY - size);
  context.lineTo(middleX + size, middleY + size);
  context.moveTo(middleX + size, middleY - size);
  context.lineTo(middleX - size, middleY + size);
  context.stroke();
}

function dot(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x + width / 2, y + height / 2, Math.max(0.8, Math.min(width, height) * 0.11), 0, Math.PI * 2);
  context.fill();
}

function corner(
  context: CanvasRenderingContext2D,
  colour: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  const size = Math.min(width, height) * 0.5;
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x + width - size, y);
  context.lineTo(x + width, y);
  context.lineTo(x + width, y + size);
  context.fill();
}

function outline(
  context: CanvasRenderingContext2D,
  palette: StripPalette,
  x: number,
  y: number,
  width: number,
  height: number,
  strong: boolean,
): void {
  context.strokeStyle = palette.ground;
  context.lineWidth = strong ? 4 : 2;
  context.strokeRect(x + 1, y + 1, width - 2, height - 2);
  context.strokeStyle = palette.ink;
  context.globalAlpha = strong ? 1 : 0.6;
  context.lineWidth = strong ? 2 : 1;
  context.strokeRect(x + 1, y + 1, width - 2, height - 2);
  context.globalAlpha = 1;
}

/** Draws the overview: a stacked column for each pixel, and the window onto the strip below it. */
export function drawOverview(
  context: CanvasRenderingContext2D,
  bins: Uint32Array,
  palette: StripPalette,
  width: number,
  height: number,
  window: { from: number; to: number },
): void {
  const kinds = UNIT_STATUSES.length;
  const colours = [
    palette.empty,
    palette.empty,
    palette.live,
    palette.doneDim,
    palette.doneDim,
    palette.done,
    palette.bad,
    palette.dot,
  ];
  // From the ground up: done, on its way, rendering, failed, the rest.
  const order = [5, 4, 3, 2, 6, 7, 1, 0];
  context.clearRect(0, 0, width, height);
  for (let bin = 0; bin < width; bin++) {
    let total = 0;
    for (let kind = 0; kind < kinds; kind++) total += bins[bin * kinds + kind] as number;
    let y = height;
    for (const kind of order) {
      const share = ((bins[bin * kinds + kind] as number) / Math.max(1, total)) * height;
      if (share === 0) continue;
      context.fillStyle = colours[kind] as string;
      context.fillRect(bin, y - share, 1, share);
      y -= share;
    }
  }
  context.strokeStyle = palette.ink;
  context.lineWidth = 1.5;
  context.strokeRect(
    window.from * width + 0.75,
    0.75,
    Math.max(3, (window.to - window.from) * width - 1.5),
    height - 1.5,
  );
}
