import { Download, FileJson, Film, LayoutGrid } from 'lucide-react';
import type { DownloadUrl, Outputs } from '../api/types.ts';
import { formatBytes } from '../lib/format.ts';

const KINDS = [
  { key: 'film', text: 'Film', icon: Film },
  { key: 'contactSheet', text: 'Contact sheet', icon: LayoutGrid },
  { key: 'manifest', text: 'Manifest', icon: FileJson },
] as const;

/** What can be taken home. Shown from the first file on. */
export function Deliverables({ outputs, jobId }: { outputs: Outputs | undefined; jobId: string }) {
  const ready = KINDS.filter(({ key }) => outputs?.[key]);
  if (!outputs || ready.length === 0) return null;
  return (
    <section className="panel" aria-label="Deliverables">
      <header className="panel-head">
        <h2>Deliverables</h2>
      </header>
      <ul className="files">
        {ready.map(({ key, text, icon: Icon }) => {
          const file = outputs[key] as DownloadUrl;
          return (
            <li key={key}>
              <a href={file.url} download={file.name}>
                <Icon size={16} aria-hidden="true" />
                <span>
                  <strong>{text}</strong>
                  <small className="mono">{file.name}</small>
                </span>
                <span className="mono faint">{formatBytes(file.sizeBytes)}</span>
                <Download size={15} aria-hidden="true" />
              </a>
            </li>
          );
        })}
      </ul>
      {outputs.away?.length > 0 && (
        <p className="hint" role="status">
          Film and contact sheet have gaps: {outputs.away.join(', ')} did not answer. Both are made again if it does.
        </p>
      )}
      <p className="hint">
        All frames: <code>farm pull {jobId}</code>
      </p>
    </section>
  );
}
