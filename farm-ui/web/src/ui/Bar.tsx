/** Progress from 0 to 1 with a name; `fraction` null when nobody knows. */
export function Bar({ label, fraction, tone = 'live' }: { label: string; fraction: number | null; tone?: string }) {
  const percent = fraction === null ? undefined : Math.round(fraction * 100);
  return (
    <div
      className={`bar ${tone} ${fraction === null ? 'unknown' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={fraction === null ? undefined : { transform: `scaleX(${fraction})` }} />
    </div>
  );
}
