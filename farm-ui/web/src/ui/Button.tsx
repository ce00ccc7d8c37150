import type { ButtonHTMLAttributes, ReactNode } from 'react';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `primary`: the one thing to do here; `danger`: what cannot be undone; `quiet`: no frame until pointed at. */
  tone?: 'primary' | 'plain' | 'quiet' | 'danger';
  icon?: ReactNode;
  /** Shows a spinner and refuses clicks, keeping the width. */
  busy?: boolean;
}

/** A button with text. Its accessible name is its text. */
export function Button({
  tone = 'plain',
  icon,
  busy = false,
  children,
  className = '',
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={`button ${tone} ${className}`}
      aria-busy={busy}
      disabled={disabled || busy}
      {...rest}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : icon}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  icon: ReactNode;
}

/** A button that shows only an icon; `label` names it for everybody else and as tooltip. */
export function IconButton({ label, icon, className = '', ...rest }: IconButtonProps) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      {icon}
    </button>
  );
}
