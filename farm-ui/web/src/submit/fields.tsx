/** The controls that the settings form is made of. */
import type { ReactNode } from 'react';
import type { ProblemAt, SettingsText, TextField } from './settings.ts';

/** What every part of the form gets. */
export interface PartProps {
  settings: SettingsText;
  disabled: boolean;
  onChange: (change: Partial<SettingsText>) => void;
  /** The problem to show at a field, if it is that field's. */
  problemAt: ProblemAt;
}

interface TextProps extends PartProps {
  field: TextField;
  label: string;
  hint?: string;
  placeholder?: string;
  inputMode?: 'numeric' | 'decimal';
  list?: string;
  mono?: boolean;
  required?: boolean;
  wide?: boolean;
}

/** A labelled line of text with its problem below it. */
export function TextSetting({ label, hint, wide, ...input }: TextProps) {
  return (
    <Labelled label={label} hint={hint} wide={wide} problem={input.problemAt(input.field)}>
      <TextInput label={label} {...input} />
    </Labelled>
  );
}

/** The line of text alone. */
export function TextInput({ field, label, settings, disabled, onChange, ...extra }: Omit<TextProps, 'hint' | 'wide'>) {
  return (
    <input
      type="text"
      name={field}
      aria-label={label}
      className={extra.mono ? 'mono' : ''}
      value={settings[field]}
      placeholder={extra.placeholder}
      inputMode={extra.inputMode}
      list={extra.list}
      required={extra.required}
      disabled={disabled}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => onChange({ [field]: event.target.value })}
    />
  );
}

interface ChoiceProps extends PartProps {
  field: TextField;
  label: string;
  hint?: string;
  options: readonly (readonly [value: string, text: string])[];
}

/** One of a list. */
export function ChoiceSetting({ field, label, hint, options, settings, disabled, onChange, problemAt }: ChoiceProps) {
  return (
    <Labelled label={label} hint={hint} problem={problemAt(field)}>
      <select
        name={field}
        aria-label={label}
        value={settings[field]}
        disabled={disabled}
        onChange={(event) => onChange({ [field]: event.target.value })}
      >
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

interface CheckProps extends PartProps {
  field: 'denoise' | 'cache' | 'energyCompensation' | 'output.denoisedLayers';
  label: string;
  hint: string;
}

/** Yes or no, with what it means. */
export function CheckSetting({ field, label, hint, settings, disabled, onChange, problemAt }: CheckProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        name={field}
        checked={settings[field]}
        disabled={disabled}
        onChange={(event) => onChange({ [field]: event.target.checked })}
      />
      <span>
        {label} <small>{hint}</small>
        {problemAt(field)}
      </span>
    </label>
  );
}

interface LabelledProps {
  label: string;
  hint?: string | undefined;
  wide?: boolean | undefined;
  problem: ReactNode;
  children: ReactNode;
}

/** A label over its control. */
function Labelled({ label, hint, wide, problem, children }: LabelledProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label className={`field ${wide ? 'wide' : ''}`}>
      <span className="field-label">
        {label}
        {hint ? <small>{hint}</small> : null}
      </span>
      {children}
      {problem}
    </label>
  );
}
