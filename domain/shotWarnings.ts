/** What is to be said of a shot before it is rendered: of its scene, and of what is asked for. */
import type { FrameList } from './frames.ts';
import { DEFAULT_RENDER_SETTINGS, type RenderSettings, type SceneInspection, type SceneWarning } from './scene.ts';
import { frameRangeWarnings } from './sceneFrames.ts';

/** Settings that only paths follow: the quick techniques cast no second ray, through no lens, at one moment and at a pixel's middle. */
const OF_PATHS = [
  ...['samples', 'seed', 'filter', 'maxDepth', 'depths', 'clampDirect', 'clampIndirect', 'energyCompensation'],
  ...['lens.fStop', 'shutter'],
];

/** What was asked for and will not be seen: a setting that is as everybody's need not be told of. */
function unusedSettings(settings: RenderSettings): SceneWarning[] {
  const { technique } = settings;
  if (technique === 'pathtrace') return [];
  const unused = OF_PATHS.filter((path) => textAt(settings, path) !== textAt(DEFAULT_RENDER_SETTINGS, path));
  if (unused.length === 0) return [];
  const names = new Intl.ListFormat('en', { type: 'conjunction' }).format(unused);
  return [{ code: 'FeatureIgnored', message: `Technique ${technique} does not follow ${names}.` }];
}

const textAt = (settings: RenderSettings, path: string): string =>
  JSON.stringify(path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], settings));

/**
 * @param inspection of the scene that is asked for
 * @param settings completed from it
 */
export function shotWarnings(inspection: SceneInspection, settings: RenderSettings, frames: FrameList): SceneWarning[] {
  return [...inspection.warnings, ...frameRangeWarnings(inspection, frames, settings), ...unusedSettings(settings)];
}
