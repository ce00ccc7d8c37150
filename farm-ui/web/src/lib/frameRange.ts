/** Frame numbers of a range such as `1-10,20-40x5`, as the API writes it. */

/**
 * @returns ascending frame numbers without repeats, or null when the text is no such range or covers more than `limit`
 */
export function framesOf(range: string, limit = 100_000): number[] | null {
  const frames = new Set<number>();
  for (const part of range.split(',')) {
    const match = /^\s*(-?\d+)(?:\s*-\s*(-?\d+)(?:\s*x\s*(\d+))?)?\s*$/.exec(part);
    if (!match) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const step = match[3] === undefined ? 1 : Number(match[3]);
    if (step < 1 || last < first || (last - first) / step >= limit) return null;
    for (let frame = first; frame <= last; frame += step) frames.add(frame);
    if (frames.size > limit) return null;
  }
  return [...frames].sort((a, b) => a - b);
}
