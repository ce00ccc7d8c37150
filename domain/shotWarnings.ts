/** What is to be said of a shot before it is rendered: of its scene, and of what is asked for. */
import type { FrameList } from './frames.ts';
import type { RenderSettings, SceneInspection, SceneWarning } from './scene.ts';
import { frameRangeWarnings } from './sceneFrames.ts';

/** The quick techniques cast no second ray, through no lens and at one moment. */
function unusedSettings({ technique, lens, shutter }: RenderSettings): SceneWarning[] {
  if (technique === 'pathtrace') return [];
  const unused = [lens.fStop !== null && 'lens.fStop', shutter > 0 && 'shutter'].filter(Boolean).join(' and ');
  if (unused === '') return [];
  return [{ code: 'FeatureIgnored', message: `Technique ${technique} does not follow ${unused}.` }];
}

/**
 * @param inspection of the scene that is asked for
 * @param settings completed from it
 */
export function shotWarnings(inspection: SceneInspection, settings: RenderSettings, frames: FrameList): SceneWarning[] {
  return [...inspection.warnings, ...frameRangeWarnings(inspection, frames, settings), ...unusedSettings(settings)];
}
