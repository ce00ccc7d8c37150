import { ImageIcon, SunMedium, Zap } from 'lucide-react';
import type { PartProps } from './fields.tsx';
import type { SettingsText } from './settings.ts';

const TECHNIQUES = [
  { value: 'raster', text: 'Draft', icon: ImageIcon, hint: 'For scrubbing a shot' },
  { value: 'raycast', text: 'Quick look', icon: Zap, hint: 'One ray a pixel' },
  { value: 'pathtrace', text: 'Final', icon: SunMedium, hint: 'Path traced, every layer' },
] as const satisfies { value: SettingsText['technique']; text: string; icon: unknown; hint: string }[];

/** How frames are made: the first thing to decide. */
export function TechniqueChoice({ settings, disabled, onChange, problemAt }: PartProps) {
  return (
    <fieldset className="technique wide">
      <legend className="hidden">Technique</legend>
      {TECHNIQUES.map(({ value, text, icon: Icon, hint }) => (
        <label key={value} className={settings.technique === value ? 'on' : ''} aria-disabled={disabled}>
          <input
            type="radio"
            name="technique"
            value={value}
            checked={settings.technique === value}
            disabled={disabled}
            onChange={() => onChange({ technique: value })}
          />
          <Icon size={18} aria-hidden="true" />
          <span>
            <strong>{text}</strong>
            <small>{hint}</small>
          </span>
        </label>
      ))}
      {problemAt('technique')}
    </fieldset>
  );
}
