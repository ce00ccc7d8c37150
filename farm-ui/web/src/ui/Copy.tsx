import { Check, Copy as CopyIcon } from 'lucide-react';
import { useState } from 'react';
import { shortHash } from '../lib/format.ts';

/** A hash or address, shortened, with a button that copies all of it. */
export function Copy({
  value,
  label,
  head = 8,
  tail = 6,
}: {
  value: string;
  label: string;
  head?: number;
  tail?: number;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
      window.setTimeout(() => setCopied(false), 1500);
    } catch {
      // Without permission the full value can still be read from the title.
    }
  };
  return (
    <span className="copy">
      <span className="mono" title={value}>
        {shortHash(value, head, tail)}
      </span>
      <button type="button" onClick={() => void copy()} aria-label={copied ? `${label} copied` : `Copy ${label}`}>
        {copied ? <Check size={13} /> : <CopyIcon size={13} />}
      </button>
    </span>
  );
}
