/** The child of the fuzzer: renders one frame of each damaged scene it is sent and says how that went. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '../../domain/errors.ts';
import { inspectExr } from '../../renderer/image/exr/inspect.ts';
import { openEngine, openShot } from '../../renderer/local.ts';

/** A case as the parent sends it; the bytes are base64. */
export interface FuzzCase {
  bytes: string;
}
/** `code` of the catalogue, `rendered`, or what must never happen. */
export type FuzzOutcome = { outcome: string; message: string };

const TINY = { width: 16, height: 9, samples: 1, frames: '1' };
const engine = openEngine();

process.on('message', (given: FuzzCase) => {
  render(Buffer.from(given.bytes, 'base64')).then((outcome) => process.send?.(outcome));
});

async function render(bytes: Buffer): Promise<FuzzOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'framewright-fuzz-'));
  try {
    await writeFile(join(folder, 'scene.glb'), bytes);
    const { files, settings } = await openShot(engine, join(folder, 'scene.glb'), TINY);
    let bad = '';
    await engine.render(
      { files, settings, units: [{ frame: 1, tile: 0 }], outputFolder: folder, threads: 1 },
      {
        async unit({ exrPath }) {
          const { hasNaN, hasInfinity } = await inspectExr(exrPath);
          if (hasNaN || hasInfinity) bad = hasNaN ? 'NaN in the frame' : 'infinity in the frame';
        },
        progress: () => undefined,
        log: () => undefined,
      },
      new AbortController().signal,
    );
    return bad ? { outcome: 'NOT FINITE', message: bad } : { outcome: 'rendered', message: '' };
  } catch (error) {
    if (error instanceof FarmError && error.fault === 'user') return { outcome: error.code, message: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { outcome: 'NO CLEAR ERROR', message: message.slice(0, 600) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.send?.({ outcome: 'ready', message: '' });
