/**
 * What is thought to be on its way from each place that holds bytes, so that a node is sent where its bytes arrive first. A
 * guess from what was handed out and what links carry; nobody is refused for it.
 */

export interface Way {
  /** Names the place that the bytes come from. */
  from: string;
  /** Payload that the way carries, bytes a second; null: not known, taken for no limit. */
  bytesPerSecond: number | null;
}

export interface Traffic {
  /** Milliseconds until so many bytes more would have come from there. */
  arrivalMs(way: Way, bytes: number): number;
  /** So many bytes were asked for from there. */
  add(way: Way, bytes: number): void;
}

/** @param nowMs a clock that only goes forward, milliseconds */
export function createTraffic(nowMs: () => number): Traffic {
  /** When what was handed out will have come, by place. */
  const busyUntil = new Map<string, number>();
  const lastMs = ({ bytesPerSecond }: Way, bytes: number): number =>
    bytesPerSecond === null ? 0 : (bytes / bytesPerSecond) * 1000;
  const waitMs = ({ from }: Way): number => Math.max(0, (busyUntil.get(from) ?? 0) - nowMs());
  return {
    arrivalMs: (way, bytes) => waitMs(way) + lastMs(way, bytes),
    add: (way, bytes) => void busyUntil.set(way.from, nowMs() + waitMs(way) + lastMs(way, bytes)),
  };
}
