/** What a machine's owner lets it trace on. */
import { FarmError } from '../../domain/errors.ts';
import type { RenderSettings } from '../../domain/scene.ts';

/** `FARM_TIER` of the environment: auto (default), cpu or gpu. Throws `SettingInvalid` for anything else. */
export function nodeTier(): RenderSettings['tier'] {
  const node = process.env.FARM_TIER || 'auto';
  if (node === 'auto' || node === 'cpu' || node === 'gpu') return node;
  throw new FarmError('SettingInvalid', `FARM_TIER is "${node}"; it can be auto, cpu or gpu.`, { FARM_TIER: node });
}
