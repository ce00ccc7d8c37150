import { FileUp, FolderUp } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';
import { Button } from '../ui/Button.tsx';
import { chosenFiles, droppedFiles, type ProjectFile } from './files.ts';

/** Takes a file or a folder by drop or by dialog. */
export function DropZone({ onFiles }: { onFiles: (files: ProjectFile[]) => void }) {
  const [over, setOver] = useState(false);
  const fileInput = useRef<HTMLInputElement>(null);
  const folderInput = useRef<HTMLInputElement>(null);

  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    setOver(false);
    onFiles(await droppedFiles(event.dataTransfer));
  };

  return (
    <section
      className={`drop ${over ? 'over' : ''}`}
      aria-label="Scene files"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => void drop(event)}
    >
      <div className="drop-frame" aria-hidden="true">
        <span />
        <span />
        <span />
        <span />
      </div>
      <h2>Drop a scene here</h2>
      <p>A .glb file, or a folder with a .gltf and everything it refers to.</p>
      <div className="drop-actions">
        <Button tone="primary" icon={<FileUp size={16} />} onClick={() => fileInput.current?.click()}>
          Choose files
        </Button>
        <Button icon={<FolderUp size={16} />} onClick={() => folderInput.current?.click()}>
          Choose a folder
        </Button>
      </div>
      <input
        ref={fileInput}
        type="file"
        multiple
        className="hidden"
        tabIndex={-1}
        aria-label="Scene files to upload"
        onChange={(event) => event.target.files && onFiles(chosenFiles(event.target.files))}
      />
      <input
        ref={folderInput}
        type="file"
        multiple
        className="hidden"
        tabIndex={-1}
        aria-label="Scene folder to upload"
        {...{ webkitdirectory: '' }}
        onChange={(event) => event.target.files && onFiles(chosenFiles(event.target.files))}
      />
    </section>
  );
}
