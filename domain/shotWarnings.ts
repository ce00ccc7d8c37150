/** What is to be said of a shot before it is rendered: of its scene, and of what is asked for. */
import type { FrameList } from './frames.ts';
import type { RenderSettings, SceneInspection, SceneWarning } from './scene.ts';
import { frameRangeWarnings } from './sceneFrames.ts';

/** Index of a scene by its name or, where none has that name, by its number; null: the file's own choice. */
export function sceneIndexOf(wanted: string | null, names: readonly string[]): number | null {
  if (wanted === null) return null;
  const named = names.indexOf(wanted);
  return named < 0 ? Number(wanted) : named;
}

/** An inspection looks into the file's default scene: what it says of cameras and lights is not said of another. */
const OF_THE_DEFAULT: readonly SceneWarning['code'][] = ['NoCamera', 'NoLight'];

/** The quick techniques cast no second ray, through no lens and at one moment. */
function unusedSettings({ technique, lens, shutter }: RenderSettings): SceneWarning[] {
  if (technique === 'pathtrace') return [];
  const unused = [lens.fStop !== null && 'lens.fStop', shutter > 0 && 'shutter'].filter(Boolean).join(' and ');
  if (unused === '') return [];
  return [{ code: 'FeatureIgnored', message: `Technique ${technique} does not follow ${unused}.` }];
}

/** @param settings completed from the inspection */
export function shotWarnings(inspection: SceneInspection, settings: RenderSettings, frames: FrameList): SceneWarning[] {
  const { scenes, defaultScene, sceneCameras, warnings } = inspection;
  const chosen = sceneIndexOf(settings.scene, scenes);
  const ofFrames = [...frameRangeWarnings(inspection, frames, settings), ...unusedSettings(settings)];
  if (chosen === null || chosen === (defaultScene ?? 0)) return [...warnings, ...ofFrames];
  const others = warnings.filter(({ code }) => !OF_THE_DEFAULT.includes(code));
  const message = `Scene "${scenes[chosen] ?? settings.scene}" has no camera; a three-quarter view that frames all of it is used.`;
  const camera: SceneWarning[] = sceneCameras[chosen]?.length === 0 ? [{ code: 'NoCamera', message }] : [];
  return [...others, ...camera, ...ofFrames];
}
