/**
 * From linear light to what a screen shows: exposure, a view transform by name, sRGB (IEC 61966-2-1).
 *
 * Plain loops rather than kernels: a pixel is read once and written once, and moving it to planes would take longer than the curve.
 */
import type { ViewTransform } from '../../domain/scene.ts';
import { CHROMATICITIES, type Chromaticities, conversionMatrix, type Matrix3 } from './colorSpace.ts';

/** Red, green, blue: an array of numbers only, since V8 makes an object of each that it puts into another. */
type Color = Float64Array;

/** Takes light (linear Rec.709, not negative) to light on the screen (linear sRGB); the caller clamps to 0 to 1. In place. */
type View = (color: Color) => void;

function transform(m: Matrix3, color: Color): void {
  const r = color[0]!;
  const g = color[1]!;
  const b = color[2]!;
  // Without a loop or a pattern: V8 takes less than half the time.
  color[0] = m[0]! * r + m[1]! * g + m[2]! * b;
  color[1] = m[3]! * r + m[4]! * g + m[5]! * b;
  color[2] = m[6]! * r + m[7]! * g + m[8]! * b;
}

/** ITU-R BT.2020. */
const REC2020: Chromaticities = [0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329];
const TO_REC2020 = conversionMatrix(CHROMATICITIES.rec709, REC2020);
const FROM_REC2020 = conversionMatrix(REC2020, CHROMATICITIES.rec709);

/**
 * AgX (T. Sobotka, 2022), the base look of Blender 4: primaries drawn in within Rec.2020, 16.5 stops of logarithm, a sigmoid, and
 * out again. Matrices and range as in Filament's version of it (google/filament, pull request 7236), the sigmoid as B. Wrensch's
 * polynomial ("Minimal AgX Implementation", 2023).
 */
const AGX_INSET: Matrix3 = [
  ...[0.856627153315983, 0.0951212405381588, 0.0482516061458583],
  ...[0.137318972929847, 0.761241990602591, 0.101439036467562],
  ...[0.11189821299995, 0.0767994186031903, 0.811302368396859],
];
const AGX_OUTSET: Matrix3 = [
  ...[1.1271005818144368, -0.11060664309660323, -0.016493938717834573],
  ...[-0.1413297634984383, 1.157823702216272, -0.016493938717834257],
  ...[-0.14132976349843826, -0.11060664309660294, 1.2519364065950405],
];
const AGX_MIN_STOP = -12.47393;
const AGX_MAX_STOP = 4.026069;

const agxSigmoid = (x: number): number =>
  (((((15.5 * x - 40.14) * x + 31.96) * x - 6.868) * x + 0.4298) * x + 0.1191) * x - 0.00232;

/**
 * The two curves of AgX by tables with lines between their entries, for a fifth of the time of logarithm and power: off by less
 * than 1e-7, where a step of 16 bits is 1.5e-5.
 */
class AgxCurves {
  private readonly bits = new Uint32Array(1);
  private readonly float = new Float32Array(this.bits.buffer);
  private readonly firstEntry = this.entryOf(2 ** AGX_MIN_STOP);
  /** At floats whose last `REST_BITS` are zero, from below the least stop to above the largest. */
  private readonly toned: Float64Array;
  /** At multiples of `1 / POWER_STEPS`. */
  private readonly powered = Float64Array.from({ length: 1.3 * POWER_STEPS }, (_, i) => (i / POWER_STEPS) ** 2.2);

  constructor() {
    const entries = this.entryOf(2 ** AGX_MAX_STOP) - this.firstEntry + 2;
    this.toned = Float64Array.from({ length: entries }, (_, entry) => {
      this.bits[0] = (entry + this.firstEntry) << REST_BITS;
      // Not held at the ends of the stops, or lines would round off their corners: `tone` holds the light.
      const stop = Math.log2(this.float[0]!);
      return agxSigmoid((stop - AGX_MIN_STOP) / (AGX_MAX_STOP - AGX_MIN_STOP));
    });
  }

  private entryOf(light: number): number {
    this.float[0] = light;
    return this.bits[0]! >>> REST_BITS;
  }

  /** Light within the stops of AgX as what the sigmoid makes of its stop. */
  tone(light: number): number {
    const { toned, bits } = this;
    const entry = this.entryOf(Math.min(Math.max(light, AGX_LEAST), AGX_LARGEST)) - this.firstEntry;
    const share = (bits[0]! & REST_MASK) * REST_STEP;
    const from = toned[entry]!;
    return from + (toned[entry + 1]! - from) * share;
  }

  /** `value ** 2.2`, 0 below 0; sums of the outset stay below 1.26. */
  power(value: number): number {
    const at = Math.max(value, 0) * POWER_STEPS;
    const entry = Math.floor(at);
    const from = this.powered[entry]!;
    return from + (this.powered[entry + 1]! - from) * (at - entry);
  }
}

const REST_BITS = 13;
const REST_MASK = 2 ** REST_BITS - 1;
const REST_STEP = 2 ** -REST_BITS;
const POWER_STEPS = 4096;
const AGX_LEAST = 2 ** AGX_MIN_STOP;
const AGX_LARGEST = 2 ** AGX_MAX_STOP;

let agxCurves: AgxCurves | undefined;

function agx(color: Color): void {
  agxCurves ??= new AgxCurves();
  const curves = agxCurves;
  transform(TO_REC2020, color);
  transform(AGX_INSET, color);
  for (let k = 0; k < 3; k++) color[k] = curves.tone(color[k]!);
  transform(AGX_OUTSET, color);
  for (let k = 0; k < 3; k++) color[k] = curves.power(color[k]!);
  transform(FROM_REC2020, color);
}

/** ACES: S. Hill's fit of the reference rendering transform with the sRGB output transform (BakingLab, 2016). */
const ACES_IN: Matrix3 = [0.59719, 0.35458, 0.04823, 0.076, 0.90834, 0.01566, 0.0284, 0.13383, 0.83777];
const ACES_OUT: Matrix3 = [1.60475, -0.53108, -0.07367, -0.10208, 1.10813, -0.00605, -0.00327, -0.07276, 1.07602];

function aces(color: Color): void {
  transform(ACES_IN, color);
  for (let k = 0; k < 3; k++) {
    const v = Math.min(color[k]!, 1e6);
    color[k] = (v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.432951) + 0.238081);
  }
  transform(ACES_OUT, color);
}

/**
 * Khronos Group, "PBR Neutral Tone Mapping" (2024): colours up to 0.8 stay as authored, brighter ones are compressed and run
 * towards white. Scene colours therefore keep the look that they have in glTF viewers.
 */
function neutral(color: Color): void {
  const r = color[0]!;
  const g = color[1]!;
  const b = color[2]!;
  const darkest = Math.min(r, g, b);
  const offset = darkest < 0.08 ? darkest - 6.25 * darkest * darkest : 0.04;
  const peak = Math.max(r, g, b) - offset;
  const start = 0.8 - 0.04;
  const range = 1 - start;
  const compressed = peak < start ? peak : 1 - (range * range) / (peak + range - start);
  const desaturation = peak < start ? 0 : 1 - 1 / (0.15 * (peak - compressed) + 1);
  const scale = peak > 0 ? compressed / peak : 1;
  for (let k = 0; k < 3; k++) {
    color[k] = (color[k]! - offset) * scale * (1 - desaturation) + compressed * desaturation;
  }
}

const asItIs: View = () => undefined;

/** `srgb` clips, `raw` also leaves out sRGB's curve: numbers as they are. */
const VIEWS: Record<ViewTransform, View> = { srgb: asItIs, agx, aces, neutral, raw: asItIs };

const encodeSrgb = (value: number): number => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);

/** Bins of linear light, each narrower than the steps of 8 bits. */
const BINS = 4096;

/** sRGB in 8 bits by table: the same numbers as `encodeSrgb`, for a tenth of its time. */
class SrgbCodes {
  /** Code at the beginning of each bin. */
  private readonly atBin = Uint8Array.from({ length: BINS + 1 }, (_, bin) => encodeSrgb(bin / BINS) * 255 + 0.5);
  /** Least light that gets a code; the last is out of reach. */
  private readonly least = Float64Array.from({ length: 257 }, (_, code) => leastLight(code));

  of(value: number): number {
    let code = this.atBin[Math.floor(value * BINS)]!;
    while (value >= this.least[code + 1]!) code++;
    return code;
  }
}

function leastLight(code: number): number {
  if (code > 255) return Number.POSITIVE_INFINITY;
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (Math.floor(encodeSrgb(middle) * 255 + 0.5) >= code) high = middle;
    else low = middle;
  }
  return code === 0 ? 0 : high;
}

let srgbCodes: SrgbCodes | undefined;

export interface ViewSettings {
  view: ViewTransform;
  /** Stops. */
  exposure: number;
}

/**
 * Linear Rec.709 RGBA with premultiplied alpha as screen values with straight alpha, scaled to the whole range of `out` (8 or 16
 * bits), from its element `at` on. NaN becomes black.
 */
export function applyView(
  beauty: Float32Array,
  { view, exposure }: ViewSettings,
  out: Uint8Array | Uint16Array,
  at = 0,
): void {
  const show = VIEWS[view];
  const gain = 2 ** exposure;
  const largest = out instanceof Uint16Array ? 65_535 : 255;
  const color: Color = new Float64Array(3);
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  srgbCodes ??= new SrgbCodes();
  const codes = view !== 'raw' && largest === 255 ? srgbCodes : null;
  for (let i = 0; i < beauty.length; i += 4) {
    const alpha = beauty[i + 3]!;
    const scale = gain / Math.max(alpha, 1e-6);
    for (let k = 0; k < 3; k++) {
      const light = beauty[i + k]! * scale;
      // False of NaN too. The bound keeps infinite light from becoming NaN inside a curve.
      color[k] = light > 0 ? Math.min(light, 1e9) : 0;
    }
    show(color);
    for (let k = 0; k < 3; k++) {
      const value = clamp(color[k]!);
      if (codes) out[at + i + k] = codes.of(value);
      else out[at + i + k] = (view === 'raw' ? value : encodeSrgb(value)) * largest + 0.5;
    }
    out[at + i + 3] = (alpha > 0 ? Math.min(alpha, 1) : 0) * largest + 0.5;
  }
}
