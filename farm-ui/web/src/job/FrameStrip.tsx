import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { formatCount, formatSeconds } from '../lib/format.ts';
import { formatToken } from '../lib/money.ts';
import { tokenOf } from '../lib/token.ts';
import { type FrameRow, type FrameTable, UNIT_STATUSES } from '../live/frameTable.ts';
import { useJobPart } from '../live/useJob.ts';
import { Segmented } from '../ui/Segmented.tsx';
import { useWidth } from '../ui/useSize.ts';
import { useIsDark } from '../ui/useTheme.ts';
import { drawOverview, drawStrip, readPalette, type StripMode } from './drawStrip.ts';
import { Legend } from './Legend.tsx';
import { binStatuses, cellAt, cellOrigin, type StripLayout, stepOf, stripLayout } from './stripLayout.ts';

const WINDOW_HEIGHT = 248;
const OVERVIEW_HEIGHT = 22;
const MODES = [
  { value: 'status', text: 'Status' },
  { value: 'time', text: 'Render time' },
] as const;

interface FrameStripProps {
  /** Row that was chosen; null while the view follows the newest frame. */
  selected: number | null;
  /** Whether the viewer shows a frame, so that the strip marks it. */
  viewed: boolean;
  onSelect: (index: number) => void;
}

/** What a unit's status is called on the page. */
export const UNIT_WORDS: Record<FrameRow['status'], string> = {
  planned: 'planned',
  offered: 'waiting for a node',
  leased: 'rendering',
  uploaded: 'being verified',
  verified: 'being committed',
  committed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** All frames as a strip like a timeline; beyond a few hundred as rows with an overview. Slider for keyboards. */
export function FrameStrip({ selected, viewed, onSelect }: FrameStripProps) {
  const store = useJobPart('frames');
  const table = store.frames;
  const version = store.version('frames');
  const marked = viewed ? (selected ?? table.newest) : null;
  const [mode, setMode] = useState<StripMode>('status');
  const [hovered, setHovered] = useState<number | null>(null);
  const [top, setTop] = useState(0);
  const boxRef = useRef<HTMLDivElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const overviewRef = useRef<HTMLCanvasElement>(null);
  const width = useWidth(boxRef);
  const dark = useIsDark();
  const count = table.length;
  const layout = useMemo(() => stripLayout(count, width), [count, width]);
  const windowHeight = Math.min(WINDOW_HEIGHT, layout.height);
  const scrolls = layout.height > WINDOW_HEIGHT;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tokens change with the theme
  const palette = useMemo(() => (boxRef.current ? readPalette(boxRef.current) : null), [dark, width]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the table changes in place; its version says when
  useLayoutEffect(() => {
    const context = prepare(canvasRef.current, width, windowHeight);
    if (!context || !palette) return;
    drawStrip(context, table, palette, { layout, mode, top, width, height: windowHeight, selected: marked, hovered });
  }, [table, version, layout, mode, top, width, windowHeight, marked, hovered, palette]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useLayoutEffect(() => {
    const context = scrolls ? prepare(overviewRef.current, width, OVERVIEW_HEIGHT) : null;
    if (!context || !palette) return;
    const bins = binStatuses(table.status, width, UNIT_STATUSES.length);
    const window = { from: top / layout.height, to: Math.min(1, (top + windowHeight) / layout.height) };
    drawOverview(context, bins, palette, width, OVERVIEW_HEIGHT, window);
  }, [table, version, layout, top, width, windowHeight, palette, scrolls]);

  const reveal = useCallback(
    (index: number) => {
      const box = scrollRef.current;
      if (!box || !scrolls) return;
      const { y } = cellOrigin(layout, index);
      if (y < box.scrollTop) box.scrollTop = y;
      else if (y + layout.pitchY > box.scrollTop + windowHeight) box.scrollTop = y + layout.pitchY - windowHeight;
    },
    [layout, scrolls, windowHeight],
  );
  useEffect(() => {
    if (selected !== null) reveal(selected);
  }, [selected, reveal]);

  const at = (event: PointerEvent): number | null => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return cellAt(layout, count, event.clientX - box.left, event.clientY - box.top);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = stepOf(event.key, layout, marked ?? 0, count);
    if (next === null || count === 0) return;
    event.preventDefault();
    onSelect(next);
  };
  const current = marked === null || marked >= count ? null : table.row(marked);

  return (
    <section className="panel strip" aria-label="Frames">
      <header className="panel-head">
        <h2>Frames</h2>
        <Legend table={table} mode={mode} />
        <Segmented label="Colour by" value={mode} options={MODES} onChange={setMode} />
      </header>
      <div ref={boxRef} className="strip-box">
        {scrolls && (
          <div
            className="strip-overview"
            aria-hidden="true"
            onPointerDown={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const share = (event.clientX - box.left) / box.width;
              if (scrollRef.current) scrollRef.current.scrollTop = share * layout.height - windowHeight / 2;
            }}
          >
            <canvas ref={overviewRef} style={{ width, height: OVERVIEW_HEIGHT }} />
          </div>
        )}
        <div
          ref={scrollRef}
          className="strip-scroll"
          style={{ height: windowHeight }}
          onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        >
          <div
            className="strip-cells"
            style={{ height: layout.height }}
            role="slider"
            tabIndex={0}
            aria-label="Frame"
            aria-valuemin={table.frameNumbers[0] ?? 0}
            aria-valuemax={table.frameNumbers[count - 1] ?? 0}
            aria-valuenow={current?.frame ?? table.frameNumbers[0] ?? 0}
            aria-valuetext={current ? rowText(current, tokenOf(store.job)) : 'No frame chosen'}
            onKeyDown={onKeyDown}
            onPointerMove={(event) => {
              const index = at(event);
              setHovered(index);
              // Dragging with the button down scrubs, as on a timeline.
              if (index !== null && event.buttons === 1 && index !== selected) onSelect(index);
            }}
            onPointerLeave={() => setHovered(null)}
            onPointerDown={(event) => {
              const index = at(event);
              if (index !== null) onSelect(index);
            }}
          >
            <canvas ref={canvasRef} style={{ width, height: windowHeight }} />
          </div>
        </div>
        {layout.rows === 1 && <Ruler table={table} pitch={layout.pitchX} />}
        {hovered !== null && hovered < count && (
          <Tip
            row={table.row(hovered)}
            token={tokenOf(store.job)}
            layout={layout}
            top={top - (scrolls ? OVERVIEW_HEIGHT + 8 : 0)}
            width={width}
          />
        )}
      </div>
    </section>
  );
}

function prepare(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  if (!canvas || width === 0 || height === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  const pixelWidth = Math.round(width * ratio);
  const pixelHeight = Math.round(height * ratio);
  if (canvas.width !== pixelWidth) canvas.width = pixelWidth;
  if (canvas.height !== pixelHeight) canvas.height = pixelHeight;
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** Frame numbers under a single row, as many as fit. */
function Ruler({ table, pitch }: { table: FrameTable; pitch: number }) {
  const every = [1, 2, 5, 10, 20, 50, 100].find((step) => step * pitch >= 34) ?? 100;
  const marks = [];
  for (let index = 0; index < table.length; index += every) marks.push(index);
  return (
    <div className="ruler mono" aria-hidden="true">
      {marks.map((index) => (
        <span key={index} style={{ left: index * pitch, width: pitch }}>
          {table.frameNumbers[index]}
        </span>
      ))}
    </div>
  );
}

function rowText(row: FrameRow, token: { symbol: string; decimals: number }): string {
  const parts = [`Frame ${formatCount(row.frame)}`, UNIT_WORDS[row.status]];
  if (row.fraction !== null && row.fraction > 0) parts.push(`${Math.round(row.fraction * 100)} %`);
  if (row.node !== null) parts.push(row.node);
  if (row.renderSeconds !== null) parts.push(formatSeconds(row.renderSeconds));
  if (row.price !== null) parts.push(formatToken(row.price, token));
  return parts.join(', ');
}

interface TipProps {
  row: FrameRow;
  token: { symbol: string; decimals: number };
  layout: StripLayout;
  top: number;
  width: number;
}

/** What the pointer is on, above its cell. */
function Tip({ row, token, layout, top, width }: TipProps) {
  const x = (row.index % layout.columns) * layout.pitchX + layout.pitchX / 2;
  const y = Math.floor(row.index / layout.columns) * layout.pitchY - top;
  const side = x < 110 ? 'start' : x > width - 110 ? 'end' : 'middle';
  return (
    <div className={`tip ${side}`} style={{ transform: `translate(${x}px, ${y}px)` }} aria-hidden="true">
      <div>
        <strong>Frame {row.frame}</strong>
        <span>
          {UNIT_WORDS[row.status]}
          {row.fraction !== null && row.fraction > 0 ? ` ${Math.round(row.fraction * 100)} %` : ''}
        </span>
        {row.node !== null && <span>{row.node}</span>}
        {row.renderSeconds !== null && <span>{formatSeconds(row.renderSeconds)}</span>}
        {row.price !== null && <span>{formatToken(row.price, token)}</span>}
        {row.refusals > 0 && <span>{row.refusals} refused before</span>}
      </div>
    </div>
  );
}
