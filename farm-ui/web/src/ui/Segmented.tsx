import type { ReactNode } from 'react';

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: string; icon?: ReactNode; disabled?: boolean }[];
  onChange: (value: T) => void;
}

/** One of a few, as buttons in a row: a radio group for keyboards and screen readers. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  return (
    <fieldset className="segmented">
      <legend className="hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={option.value === value ? 'on' : ''} aria-disabled={option.disabled}>
          <input
            type="radio"
            name={label}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => onChange(option.value)}
          />
          {option.icon}
          <span>{option.text}</span>
        </label>
      ))}
    </fieldset>
  );
}
