import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import type { SettingsField, SettingsText } from './settings.ts';

interface FormProps {
  settings: SettingsText;
  scenes: string[];
  cameras: string[];
  disabled: boolean;
  onChange: (change: Partial<SettingsText>) => void;
  /** The problem to show at a field, if it is that field's. */
  problemAt: (field: SettingsField) => ReactNode;
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
export function SettingsForm({ settings, scenes, cameras, disabled, onChange, problemAt }: FormProps) {
  const cameraList = useId();
  const text = (field: Exclude<keyof SettingsText, 'denoise'>, extra: InputExtra = {}) => (
    <Input
      field={field}
      value={settings[field]}
      disabled={disabled}
      onChange={(value) => onChange({ [field]: value })}
      {...extra}
    />
  );
  return (
    <div className="settings">
      <Field label="Shot" problem={problemAt('name')}>
        {text('name', { label: 'Shot', required: true })}
      </Field>
      {scenes.length > 1 && (
        <Field label="Scene file" problem={problemAt('main')}>
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
        </Field>
      )}
      <Field label="Frames" hint="1-100, 1-100x2 or 1,5,20-30" problem={problemAt('frames')}>
        {text('frames', { label: 'Frames', placeholder: 'All of the animation', mono: true })}
      </Field>
      <fieldset className="field">
        <legend>Resolution</legend>
        <div className="pair">
          {text('width', { label: 'Width', inputMode: 'numeric', mono: true })}
          <span aria-hidden="true">×</span>
          {text('height', { label: 'Height', inputMode: 'numeric', mono: true })}
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
        {text('samples', { label: 'Samples', inputMode: 'numeric', mono: true })}
        <div className="presets">
          {SAMPLES.map((samples) => (
            <button
              key={samples}
              type="button"
              disabled={disabled}
              aria-pressed={settings.samples === samples}
              onClick={() => onChange({ samples })}
            >
              {samples}
            </button>
          ))}
        </div>
        {problemAt('samples')}
      </fieldset>
      <Field label="Camera" problem={problemAt('camera')}>
        {text('camera', { label: 'Camera', placeholder: 'The first in the scene', list: cameraList })}
        <datalist id={cameraList}>
          {cameras.map((camera) => (
            <option key={camera} value={camera} />
          ))}
        </datalist>
      </Field>
      <Field label="Frames a second" problem={problemAt('fps')}>
        {text('fps', {
          label: 'Frames a second',
          placeholder: 'What the scene says, else 24',
          inputMode: 'decimal',
          mono: true,
        })}
      </Field>
      <label className="check">
        <input
          type="checkbox"
          checked={settings.denoise}
          disabled={disabled}
          onChange={(event) => onChange({ denoise: event.target.checked })}
        />
        <span>
          Denoise film and previews <small>The EXR files always keep the original.</small>
        </span>
      </label>
      <details className="more">
        <summary>
          <ChevronRight size={15} aria-hidden="true" /> More settings
        </summary>
        <div className="settings">
          <Field label="First frame number" problem={problemAt('start')}>
            {text('start', { label: 'First frame number', placeholder: 'What the scene says, else 1', mono: true })}
          </Field>
          <Field label="Longest path, bounces" problem={problemAt('maxDepth')}>
            {text('maxDepth', { label: 'Longest path, bounces', placeholder: '8', inputMode: 'numeric', mono: true })}
          </Field>
          <Field label="Exposure of previews, stops" problem={problemAt('exposure')}>
            {text('exposure', { label: 'Exposure of previews, stops', placeholder: '0', mono: true })}
          </Field>
          <Field label="Seed" problem={problemAt('seed')}>
            {text('seed', { label: 'Seed', placeholder: '1', inputMode: 'numeric', mono: true })}
          </Field>
          <Field label="Priority" hint="1 to 5; 5 goes first" problem={problemAt('priority')}>
            {text('priority', { label: 'Priority', inputMode: 'numeric', mono: true })}
          </Field>
          <Field label="File names" wide problem={problemAt('template')}>
            {text('template', {
              label: 'File names',
              placeholder: '{shot}_{layer}_v{version}.{frame:04}.{ext}',
              mono: true,
            })}
          </Field>
        </div>
      </details>
    </div>
  );
}

function Field(props: { label: string; hint?: string; wide?: boolean; problem: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label className={`field ${props.wide ? 'wide' : ''}`}>
      <span className="field-label">
        {props.label}
        {props.hint ? <small>{props.hint}</small> : null}
      </span>
      {props.children}
      {props.problem}
    </label>
  );
}

interface InputExtra {
  label?: string;
  placeholder?: string;
  inputMode?: 'numeric' | 'decimal';
  list?: string;
  mono?: boolean;
  required?: boolean;
}

function Input(
  props: InputExtra & { field: string; value: string; disabled: boolean; onChange: (value: string) => void },
) {
  return (
    <input
      type="text"
      name={props.field}
      aria-label={props.label}
      className={props.mono ? 'mono' : ''}
      value={props.value}
      placeholder={props.placeholder}
      inputMode={props.inputMode}
      list={props.list}
      required={props.required}
      disabled={props.disabled}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => props.onChange(event.target.value)}
    />
  );
}
