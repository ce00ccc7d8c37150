/** What the nodes must be that render a job. */
import type { RenderSettings } from '../../domain/scene.ts';
import type { HostRequirements } from '../../ports/db/documents.ts';

/** Label of a node with the tiers it traces on; `workers/node/labels.ts` sets it. */
const TIER_LABEL = 'attr.framewright.tier';

/** A job that names a tier goes only to nodes that have it; bits are equal within one tier. */
export const needsOf = ({ tier }: Pick<RenderSettings, 'tier'>): HostRequirements =>
  tier === 'auto' ? {} : { attributes: [{ name: TIER_LABEL, anyOf: [tier] }] };
