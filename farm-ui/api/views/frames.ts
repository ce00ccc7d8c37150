/** A job's units as the API shows them. */
import { formatName, type NameTemplate, parseTemplate } from '../../../domain/template.ts';
import type { UnitArtifact } from '../../../ports/db/documents.ts';
import type { FrameRow, NamedJob } from '../../../ports/db/queries/frames.ts';
import type { FrameView } from '../schema/api.ts';

/** What names a job's files. */
export interface FrameNaming {
  template: NameTemplate;
  shot: string;
  version: number;
}

export const namingOf = ({ template, name, version }: NamedJob): FrameNaming => ({
  template: parseTemplate(template),
  shot: name,
  version: version ?? 1,
});

/** File name of a frame by the job's template. */
export function frameName(
  { template, shot, version }: FrameNaming,
  { layer, frame }: { layer: string; frame: number },
  ext: string,
): string {
  return formatName(template, { shot, layer, version, frame, ext });
}

export function frameView(unit: FrameRow, naming: FrameNaming): FrameView {
  return {
    unitId: unit.id,
    frame: unit.frame,
    take: unit.take,
    tile: unit.tile,
    layer: unit.layer,
    status: unit.status,
    node: unit.node,
    price: String(unit.price),
    cached: unit.cached,
    renderSeconds: unit.measurements?.renderSeconds ?? null,
    name: frameName(naming, unit, 'exr'),
    exr: deliveredFile(unit, 'exr'),
    preview: deliveredFile(unit, 'preview'),
    picture: deliveredFile(unit, 'picture'),
    warnings: unit.warnings,
    refusals: unit.refusals.map(({ at, node, code, message }) => ({ at, node, code, message })),
    committedAt: unit.committedAt?.toISOString() ?? null,
    deliveredAt: unit.deliveredAt?.toISOString() ?? null,
  };
}

/** Committed = billed (or from the cache) = downloadable: what is not committed is nobody's frame yet (but `routes/heads.ts`). */
export function deliveredFile(
  unit: Pick<FrameRow, 'status' | 'artifacts'>,
  kind: UnitArtifact['kind'],
): { hash: string; sizeBytes: number } | null {
  const artifact = unit.status === 'committed' ? unit.artifacts?.find((one) => one.kind === kind) : undefined;
  return artifact ? { hash: artifact.hash, sizeBytes: artifact.sizeBytes } : null;
}
