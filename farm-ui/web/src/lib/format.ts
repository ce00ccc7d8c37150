/** Times, sizes and counts for people. */

/** Seconds as `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds) / 60;
  if (minutes < 60) return `${Math.floor(minutes)} min ${String(Math.round(seconds) % 60).padStart(2, '0')} s`;
  const whole = Math.round(seconds / 60);
  return `${Math.floor(whole / 60)} h ${String(whole % 60).padStart(2, '0')} min`;
}

/** Bytes with binary steps and three digits: `930 B`, `4.2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Bytes a second as `330 Mbit/s`; null is no limit. */
export function formatRate(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return 'no limit';
  const megabits = (bytesPerSecond * 8) / 1e6;
  if (megabits >= 1000) return `${Number((megabits / 1000).toPrecision(3))} Gbit/s`;
  return `${Number(megabits.toPrecision(3))} Mbit/s`;
}

const counts = new Intl.NumberFormat('en');
/** `12,345` */
export const formatCount = (value: number): string => counts.format(value);

/** `1 frame`, `2 frames` */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** `14:05` today, `3 Nov, 14:05` before. */
export function formatMoment(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  if (date.toDateString() === now.toDateString()) return time;
  return `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${time}`;
}

/** `just now`, `4 min ago`, `3 h ago`, then the moment. */
export function formatAgo(iso: string, now: Date): string {
  const seconds = (now.getTime() - new Date(iso).getTime()) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3570) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 20 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return formatMoment(iso, now);
}

/** `0x12345678…cdef`; short values stay whole. */
export const shortHash = (hash: string, head = 8, tail = 4): string =>
  hash.length <= head + tail + 2 ? hash : `${hash.slice(0, head)}…${hash.slice(-tail)}`;
