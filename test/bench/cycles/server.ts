/** Talks to Blender's Cycles in a process of its own (`serve.py`): one picture at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface CyclesSetup {
  /** Absolute paths of a .glb and of a latitude-longitude .hdr. */
  scene: string;
  environment: string;
  width: number;
  height: number;
  threads: number;
  depth: number;
  /** Radius of the Blackman-Harris pixel filter, pixels. */
  filterRadius: number;
  /** Vertical field of view, radians. */
  yfov: number;
  /** Column-major camera to world, Y up. */
  camera: number[];
}

export interface CyclesOrder {
  /** Samples a pixel. */
  spp: number;
  seed: number;
  /** Whether lamps and glowing triangles are picked from a tree of them, in place of by their areas. */
  lightTree: boolean;
}

/** A Python that has `bpy`: what `FRAMEWRIGHT_BPY_PYTHON` names, else `python3.11`. */
export const bpyPython = (): string => process.env.FRAMEWRIGHT_BPY_PYTHON ?? 'python3.11';

/** Whether Blender can be loaded, as a reason against it or null. */
export async function whyNoCycles(): Promise<string | null> {
  const child = spawn(bpyPython(), ['-c', 'import bpy'], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('exit', resolve);
  });
  if (code === 0) return null;
  return `${bpyPython()} has no bpy: pip install bpy==4.5.15 for a Python 3.11 and name it in FRAMEWRIGHT_BPY_PYTHON`;
}

export class CyclesServer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #picture: string;
  #errors = '';

  private constructor(child: ChildProcess, picture: string) {
    this.#child = child;
    this.#picture = picture;
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2_000);
    });
  }

  /** Starts Blender with the scene loaded on first use. `folder` is for its files. */
  static async start(setup: CyclesSetup, folder: string): Promise<CyclesServer> {
    const setupPath = join(folder, 'cycles.json');
    await writeFile(setupPath, JSON.stringify(setup));
    const script = fileURLToPath(new URL('serve.py', sourceFolder()));
    const child = spawn(bpyPython(), [script, setupPath], { stdio: ['pipe', 'pipe', 'pipe'] });
    return new CyclesServer(child, join(folder, 'cycles.f32'));
  }

  /** Renders; linear RGB, top row first, and the seconds of the render call. Throws with Blender's last words. */
  async render(order: CyclesOrder): Promise<{ rgb: Float32Array; seconds: number }> {
    this.#child.stdin!.write(`${JSON.stringify({ ...order, out: this.#picture })}\n`);
    const answer = await this.#answers.next();
    if (answer.done) throw new Error(`Blender ended:\n${this.#errors}`);
    const { seconds } = JSON.parse(answer.value) as { seconds: number };
    const bytes = await readFile(this.#picture);
    return { rgb: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice(), seconds };
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await ended;
  }
}

/** Python files stay with the sources; the build mirrors only what Node runs. */
function sourceFolder(): URL {
  return new URL(import.meta.url.includes('/dist/') ? '../../../../test/bench/cycles/' : './', import.meta.url);
}
