/** What each technique can give: the quick ones trace no light beyond the first surface. */
import { FarmError } from './errors.ts';
import { LAYER_NAMES, type LayerName } from './layers.ts';
import type { RenderSettings, RenderTechnique } from './scene.ts';

/** Layers that a technique fills. */
export const TECHNIQUE_LAYERS: Record<RenderTechnique, readonly LayerName[]> = {
  pathtrace: LAYER_NAMES,
  raycast: ['beauty', 'albedo', 'normal', 'position', 'depth'],
  raster: ['beauty', 'albedo', 'normal', 'depth'],
};

/** Build that a frame carries: a quick look is not made by what makes finals, though one engine has both. */
export const buildOfTechnique = (build: string, technique: RenderTechnique): string =>
  technique === 'pathtrace' ? build : `${build}+${technique}`;

/** @throws FarmError `SettingInvalid` for a layer that the technique cannot give, with the list of what it gives */
export function checkTechniqueLayers({ technique, output }: RenderSettings): void {
  const given = TECHNIQUE_LAYERS[technique];
  const missing = output.layers.filter((layer) => !given.includes(layer));
  if (missing.length === 0 && !(output.denoisedLayers && technique !== 'pathtrace')) return;
  const value = missing.length > 0 ? missing.join(', ') : 'denoised copies';
  throw new FarmError(
    'SettingInvalid',
    `output.layers asks for ${value}, which technique ${technique} cannot give; it gives ${given.join(', ')}.`,
    { setting: missing.length > 0 ? 'output.layers' : 'output.denoisedLayers', value, technique },
  );
}
