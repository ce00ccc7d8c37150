import Module from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Load = (id: string, ...rest: unknown[]) => unknown;
const internals = Module as unknown as { _load: Load };
const load = internals._load;

beforeEach(() => vi.resetModules());
afterEach(() => {
  internals._load = load;
});

describe('compression on the way', () => {
  it('is what was wished where zstd has a binary', async () => {
    const { usableTransit, zstd } = await import('./transit.ts');
    expect(usableTransit('auto')).toEqual({ transit: 'auto', note: null });
    expect(await zstd()!.decompress(await zstd()!.compress(Buffer.from('frame'), 1))).toEqual(Buffer.from('frame'));
  });

  it('is loaded without looking up the names of whoever is connected', async () => {
    let excluded: unknown;
    internals._load = (id, ...rest) => {
      // Loaded anew, as in a process that has not asked for it yet: the package reads the report while it is loaded.
      if (id.startsWith('@mongodb-js/zstd')) excluded = (process.report as { excludeNetwork?: boolean }).excludeNetwork;
      return load.call(Module, id, ...rest);
    };
    const before = (process.report as { excludeNetwork?: boolean }).excludeNetwork;
    const { zstd } = await import('./transit.ts');
    expect(zstd()).not.toBeNull();
    expect(excluded).toBe(true);
    expect((process.report as { excludeNetwork?: boolean }).excludeNetwork).toBe(before);
  });

  it('is off, with a note, where there is none; pulling and sending work all the same', async () => {
    internals._load = (id, ...rest) => {
      if (id.startsWith('@mongodb-js/zstd')) throw new Error('no binary');
      return load.call(Module, id, ...rest);
    };
    const { usableTransit } = await import('./transit.ts');
    expect(usableTransit('on')).toEqual({ transit: 'off', note: expect.stringContaining(process.platform) });
    expect(usableTransit('off').note).toBeNull();
    expect(await import('../pull.ts')).toHaveProperty('pullJob');
    const { packBlock, rawBlock } = await import('../../../workers/site/transitEncoder.ts');
    expect(await packBlock(Buffer.alloc(1000))).toEqual({ bytes: rawBlock(Buffer.alloc(1000)), packed: false });
  });
});
