import { useId } from 'react';
import { AdvancedSettings } from './AdvancedSettings.tsx';
import { CheckSetting, type PartProps, TextInput, TextSetting } from './fields.tsx';
import { TechniqueChoice } from './TechniqueChoice.tsx';

interface FormProps extends PartProps {
  scenes: string[];
  cameras: string[];
  variants: string[];
}

const RESOLUTIONS: [string, string][] = [
  ['480', '270'],
  ['960', '540'],
  ['1280', '720'],
  ['1920', '1080'],
  ['3840', '2160'],
];
const SAMPLES = ['16', '64', '256', '1024'];

/** What to render and how. Empty fields take what the scene or the farm says. */
export function SettingsForm({ scenes, cameras, variants, ...part }: FormProps) {
  const cameraList = useId();
  const { settings, disabled, onChange, problemAt } = part;
  const number = { ...part, mono: true, inputMode: 'numeric' } as const;
  return (
    <div className="settings">
      <TechniqueChoice {...part} />
      <TextSetting {...part} field="name" label="Shot" required />
      {scenes.length > 1 && (
        <label className="field">
          <span className="field-label">Scene file</span>
          <select
            aria-label="Scene file"
            value={settings.main}
            disabled={disabled}
            onChange={(event) => onChange({ main: event.target.value })}
          >
            {scenes.map((scene) => (
              <option key={scene}>{scene}</option>
            ))}
          </select>
          {problemAt('main')}
        </label>
      )}
      <TextSetting
        {...part}
        mono
        field="frames"
        label="Frames"
        hint="1-100, 1-100x2 or 1,5,20-30"
        placeholder="All of the animation"
      />
      <fieldset className="field">
        <legend>Resolution</legend>
        <div className="pair">
          <TextInput {...number} field="width" label="Width" />
          <span aria-hidden="true">×</span>
          <TextInput {...number} field="height" label="Height" />
        </div>
        <div className="presets">
          {RESOLUTIONS.map(([width, height]) => (
            <button
              key={width}
              type="button"
              disabled={disabled}
              aria-pressed={settings.width === width && settings.height === height}
              onClick={() => onChange({ width, height })}
            >
              {height}p
            </button>
          ))}
        </div>
        {problemAt('width') ?? problemAt('height')}
      </fieldset>
      <fieldset className="field">
        <legend>Samples a pixel</legend>
        <TextInput
          {...number}
          field="samples"
          label="Samples"
          disabled={disabled || settings.technique !== 'pathtrace'}
        />
        <div className="presets">
          {settings.technique === 'pathtrace' ? (
            SAMPLES.map((samples) => (
              <button
                key={samples}
                type="button"
                disabled={disabled}
                aria-pressed={settings.samples === samples}
                onClick={() => onChange({ samples })}
              >
                {samples}
              </button>
            ))
          ) : (
            <small className="presets-note">Only a path-traced final takes samples.</small>
          )}
        </div>
        {problemAt('samples')}
      </fieldset>
      <TextSetting {...part} field="camera" label="Camera" placeholder="The first in the scene" list={cameraList} />
      <datalist id={cameraList}>
        {cameras.map((camera) => (
          <option key={camera} value={camera} />
        ))}
      </datalist>
      <TextSetting
        {...part}
        mono
        inputMode="decimal"
        field="fps"
        label="Frames a second"
        placeholder="What the scene says, else 24"
      />
      <CheckSetting
        {...part}
        field="denoise"
        label="Denoise film and previews"
        hint="The EXR files always keep the original."
      />
      <AdvancedSettings {...part} variants={variants} />
    </div>
  );
}
