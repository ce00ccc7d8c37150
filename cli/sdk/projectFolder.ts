/** Looks at files of a project, links followed, and at nothing outside of it. */
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { refuse } from './errors.ts';

/** A project's folder. Not asynchronous: 60,000 files are looked at in half a second. */
export class ProjectFolder {
  /** Absolute path of the folder that paths are relative to. */
  readonly root: string;
  readonly #real: string;
  /** Folders without links on the way, by their paths: few for many files. */
  readonly #realFolders = new Map<string, string>();

  /** @param root absolute path of a folder that is there */
  constructor(root: string) {
    this.root = root;
    this.#real = realpathSync.native(root);
  }

  /** Relative to the root, forward slashes. */
  pathOf(full: string): string {
    return relative(this.root, full).split(sep).join('/');
  }

  /**
   * What lies at an absolute path; undefined when nothing does.
   * @throws FarmApiError naming the link that leads out of the project or in a circle (`NameInvalid`) or to nothing
   *   (`FileNotFound`); `FileNotFound` for what may not be looked at
   */
  look(full: string): Stats | undefined {
    let why: unknown;
    try {
      const info = lstatSync(full);
      const isLink = info.isSymbolicLink();
      if (this.#holds(isLink ? realpathSync.native(full) : join(this.realFolder(dirname(full)), basename(full)))) {
        return isLink ? statSync(full) : info;
      }
    } catch (error) {
      why = error;
    }
    const link = this.#wrongLinkOn(full);
    if (link) throw link;
    const { code, message } = (why ?? {}) as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const path = this.pathOf(full);
    throw refuse('FileNotFound', `"${path}" cannot be looked at: ${message}`, 'Check the file.', { path });
  }

  /** Where a folder really lies. @throws what the file system throws */
  realFolder(folder: string): string {
    const known = this.#realFolders.get(folder);
    if (known !== undefined) return known;
    const real = realpathSync.native(folder);
    this.#realFolders.set(folder, real);
    return real;
  }

  /** @param real without links */
  #holds(real: string): boolean {
    return real === this.#real || real.startsWith(this.#real.endsWith(sep) ? this.#real : this.#real + sep);
  }

  /** The first link on the way to a path that leads nowhere or out of the project. */
  #wrongLinkOn(full: string): Error | undefined {
    let at = this.root;
    for (const part of relative(this.root, full).split(sep)) {
      at = join(at, part);
      try {
        if (!lstatSync(at).isSymbolicLink()) continue;
      } catch {
        return undefined;
      }
      const path = this.pathOf(at);
      try {
        if (this.#holds(realpathSync.native(at))) continue;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'ELOOP') {
          return refuse('NameInvalid', `"${path}" is a link that leads back to itself.`, 'Remove the link.', { path });
        }
        const why = code === 'ENOENT' ? 'is not there' : `cannot be looked at: ${message}`;
        const detail = `"${path}" is a link to "${readlinkSync(at)}", which ${why}.`;
        return refuse('FileNotFound', detail, 'Put the file there, or remove the link.', { path });
      }
      return refuse('NameInvalid', `"${path}" is a link out of the project.`, 'Copy what it names into the project.', {
        path,
      });
    }
    return undefined;
  }
}
