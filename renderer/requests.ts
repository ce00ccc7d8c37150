/** What a client may know of render settings without loading an engine: names for its help, and the check before anything is read or sent. */
export { LAYER_GROUPS, LAYER_NAMES } from '../domain/layers.ts';
export {
  EXR_COMPRESSIONS,
  PICTURE_FORMATS,
  PIXEL_FILTERS,
  type RenderSettings,
  TECHNIQUES,
  VIEW_TRANSFORMS,
} from '../domain/scene.ts';
export { checkRequestedSettings, type RequestedSettings } from '../domain/settings.ts';
