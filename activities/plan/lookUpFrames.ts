/** Which frames of a job the frame cache holds, asked before the quote and again when the job is planned. */
import pLimit from 'p-limit';
import { FarmError } from '../../domain/errors.ts';
import { type FrameInputs, type FrameMaker, frameInputHashes, frameKey } from '../../domain/frameKey.ts';
import type { RenderSettings } from '../../domain/scene.ts';
import { cachedFrames, dropCachedFrames } from '../../ports/db/frameCache.ts';
import { fittingNodes } from '../../ports/db/nodes.ts';
import type { FrameCacheRow } from '../../ports/db/tables.ts';
import { type FarmServices, inRecord } from '../services.ts';
import { needsOf } from './needs.ts';

/** Looks at the store that are under way at a time. */
const PARALLEL = 32;

export interface LookUp extends FrameInputs {
  studioId: string;
  frames: readonly number[];
  /** The submission's wish; undefined is yes. */
  cache: boolean | undefined;
}

export interface FoundFrames {
  /** By frame: what the cache holds and where its files are. */
  found: Map<number, FrameCacheRow>;
  /** By frame, for units that are to be rendered and kept; empty for a job that leaves the cache alone. */
  inputHashes: Map<number, string>;
  /** Why the cache was not asked; null where it was. */
  note: string | null;
}

/**
 * Looks frames up. An entry whose files are not in their store any more is forgotten; one whose store does not answer is
 * left out. Which node will render is not known yet, so the cache is asked only where every node online that fits would
 * give the same bits.
 */
export async function lookUpFrames(services: FarmServices, input: LookUp): Promise<FoundFrames> {
  const nothing = { found: new Map(), inputHashes: new Map() };
  if (input.cache === false) return { ...nothing, note: 'The frame cache is switched off for this job.' };
  if (input.settings.technique !== 'pathtrace') {
    return { ...nothing, note: 'Drafts and quick looks are not kept in the frame cache.' };
  }
  const inputHashes = frameInputHashes(input, input.frames);
  const maker = await expectedMaker(services, input.settings);
  if (typeof maker === 'string') return { found: new Map(), inputHashes, note: maker };
  const keys = new Map([...inputHashes].map(([frame, inputHash]) => [frame, frameKey(maker, inputHash)]));
  const entries = await inRecord(services, (tx) => cachedFrames(tx, input.studioId, [...keys.values()]));
  const found = new Map<number, FrameCacheRow>();
  const gone: string[] = [];
  /** Places whose store does not answer: each question there would wait as long as the first. */
  const silent = new Set<string | null>();
  const slots = pLimit(PARALLEL);
  await slots.map([...keys], async ([frame, key]) => {
    const entry = entries.get(key);
    if (!entry) return;
    const whole = silent.has(entry.siteId) ? null : await isStored(services, entry);
    if (whole === null) silent.add(entry.siteId);
    if (whole) found.set(frame, entry);
    else if (whole === false) gone.push(key);
  });
  if (gone.length > 0) {
    await inRecord(services, (tx) => dropCachedFrames(tx, input.studioId, gone));
    services.log.warn(
      { studioId: input.studioId, entries: gone.length },
      'cached frames are not in the store any more',
    );
  }
  return { found, inputHashes, note: null };
}

/** What every node that fits would render with, or in words why that is not known. */
async function expectedMaker(services: FarmServices, settings: RenderSettings): Promise<FrameMaker | string> {
  const nodes = await inRecord(services, (tx) => fittingNodes(tx, needsOf(settings)));
  if (nodes.length === 0) return 'No node that fits is online, so the build that would render is not known.';
  const makers: FrameMaker[] = [];
  for (const { engine, engineBuild: build, tier, device } of nodes) {
    // A node names one build; that of its other tier is known only from what it delivered.
    if (tier === 'gpu' && settings.tier === 'cpu') {
      return 'Nodes with a GPU would render on their CPU, whose build is not known beforehand.';
    }
    makers.push({ engine, build, tier, device: tier === 'gpu' ? device : '' });
  }
  const [first, ...others] = makers as [FrameMaker, ...FrameMaker[]];
  const same = others.every((other) => frameKey(other, '') === frameKey(first, ''));
  return same ? first : 'The nodes online do not all have the same build and kind of device.';
}

/** Whether all files lie in the store with their sizes; null when it does not answer. */
async function isStored(services: FarmServices, entry: FrameCacheRow): Promise<boolean | null> {
  try {
    const { store } = await services.stores.of(entry.siteId);
    for (const { hash, sizeBytes } of entry.artifacts) {
      const stored = await store.stat(entry.studioId, 'frames', hash);
      if (stored?.sizeBytes !== sizeBytes) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof FarmError && error.code === 'StoreFailed') return null;
    throw error;
  }
}
