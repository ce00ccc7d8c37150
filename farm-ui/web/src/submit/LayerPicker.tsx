import type { PartProps } from './fields.tsx';
import { DEFAULT_SETTINGS, type LayerName } from './settings.ts';

/** All layers that an EXR can hold beside the picture itself, by what a compositor does with them. */
const GROUPS: { title: string; layers: readonly [LayerName, string][] }[] = [
  {
    title: 'Light',
    layers: [
      ['diffuse_direct', 'Diffuse direct'],
      ['diffuse_indirect', 'Diffuse indirect'],
      ['specular_direct', 'Specular direct'],
      ['specular_indirect', 'Specular indirect'],
      ['transmission', 'Transmission'],
      ['emission', 'Emission'],
      ['environment', 'Environment'],
    ],
  },
  {
    title: 'Surface',
    layers: [
      ['albedo', 'Albedo'],
      ['normal', 'Normal'],
      ['position', 'Position'],
      ['depth', 'Depth'],
      ['motion', 'Motion'],
      ['uv', 'UV'],
    ],
  },
  {
    title: 'Matte',
    layers: [
      ['cryptomatte_object', 'Cryptomatte object'],
      ['cryptomatte_material', 'Cryptomatte material'],
    ],
  },
  {
    title: 'Sampling',
    layers: [
      ['sample_count', 'Sample count'],
      ['variance', 'Variance'],
      ['diffuse_direct_variance', 'Variance of diffuse direct'],
      ['diffuse_indirect_variance', 'Variance of diffuse indirect'],
      ['specular_direct_variance', 'Variance of specular direct'],
      ['specular_indirect_variance', 'Variance of specular indirect'],
      ['transmission_variance', 'Variance of transmission'],
    ],
  },
];

/** Which layers go into the EXR; the picture always does. */
export function LayerPicker({ settings, disabled, onChange, problemAt }: PartProps) {
  const chosen = new Set(settings['output.layers']);
  const choose = (layers: Iterable<LayerName>): void => onChange({ 'output.layers': [...layers] });
  const toggle = (layer: LayerName): void => {
    const next = new Set(chosen);
    if (!next.delete(layer)) next.add(layer);
    choose(next);
  };
  return (
    <fieldset className="field wide layers">
      <legend>
        Layers of the EXR
        <small>
          <button type="button" disabled={disabled} onClick={() => choose(DEFAULT_SETTINGS['output.layers'])}>
            Default
          </button>
          <button
            type="button"
            disabled={disabled}
            onClick={() => choose(GROUPS.flatMap(({ layers }) => layers.map(([layer]) => layer)))}
          >
            All
          </button>
        </small>
      </legend>
      {GROUPS.map(({ title, layers }) => (
        <div key={title} className="layer-row">
          <span>{title}</span>
          <div className="presets">
            {layers.map(([layer, text]) => (
              <button
                key={layer}
                type="button"
                disabled={disabled}
                aria-pressed={chosen.has(layer)}
                onClick={() => toggle(layer)}
              >
                {text}
              </button>
            ))}
          </div>
        </div>
      ))}
      {problemAt('output.layers')}
    </fieldset>
  );
}
