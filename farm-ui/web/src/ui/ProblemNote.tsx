import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Problem } from '../api/types.ts';

/** `file scene.glb, offset 20` for a problem's place; empty when it has none. */
function placeText(place: Record<string, unknown> | undefined): string {
  return Object.entries(place ?? {})
    .filter(([, value]) => value !== null && value !== undefined && typeof value !== 'object')
    .map(([key, value]) => `${key.replace(/([A-Z])/g, ' $1').toLowerCase()} ${String(value)}`)
    .join(', ');
}

/** A problem as the farm tells it: what is wrong, where, what to do, and its code. */
export function ProblemNote({
  problem,
  actions,
}: {
  problem: Partial<Problem> & { message?: string };
  actions?: ReactNode;
}) {
  const place = placeText(problem.place);
  return (
    <div className="note bad" role="alert">
      <TriangleAlert size={16} aria-hidden="true" />
      <div className="note-body">
        <p className="note-title">{problem.detail ?? problem.message ?? problem.title}</p>
        {place !== '' && <p className="note-place mono">{place}</p>}
        {problem.remedy ? <p>{problem.remedy}</p> : null}
        {actions ? <div className="note-actions">{actions}</div> : null}
      </div>
      <span className="note-code mono">{problem.code}</span>
    </div>
  );
}
