/**
 * The flags that say how to render. `farm submit`, `farm render` and `farm repro` take all of them from this one table, so
 * they are the same flags.
 */
import type { Command } from 'commander';
import {
  checkRequestedSettings,
  EXR_COMPRESSIONS,
  LAYER_GROUPS,
  LAYER_NAMES,
  PICTURE_FORMATS,
  PIXEL_FILTERS,
  type RequestedSettings,
  TECHNIQUES,
  VIEW_TRANSFORMS,
} from '../../renderer/requests.ts';
import { refuse } from '../sdk/errors.ts';

/** Values as commander leaves them, by camel-cased flag. */
export type SettingFlags = Record<string, unknown>;

interface SettingFlag {
  /** As commander wants it. */
  flag: string;
  help: string;
  /** Path of the setting in a request. */
  path: string;
  /** How the text becomes a value. `off` is a `--no-…` flag: it sets false. */
  kind: 'text' | 'number' | 'list' | 'on' | 'off' | 'resolution' | 'crop';
}

const flag = (flag: string, path: string, kind: SettingFlag['kind'], help: string): SettingFlag => ({
  flag,
  path,
  kind,
  help,
});

/** In the groups under which `--help` shows them. */
const GROUPS: Record<string, SettingFlag[]> = {
  'Shot:': [
    flag('--frames <range>', 'frames', 'text', 'such as 1-24, 1-100x2, 1-10,20 (default: what the animation covers)'),
    flag('--fps <number>', 'fps', 'number', 'frames a second (default: what the scene says, else 24)'),
    flag('--start <frame>', 'start', 'number', 'frame number of time 0 (default: what the scene says, else 1)'),
    flag('--camera <name>', 'camera', 'text', 'camera to render through (default: the first)'),
    flag('--scene <name>', 'scene', 'text', 'scene of the file, by name or number'),
    flag('--variant <name>', 'variant', 'text', 'material variant'),
    flag('--resolution <WxH>', '', 'resolution', 'picture size, such as 1920x1080 (default 960x540)'),
    flag('--crop <x0,y0,x1,y1>', 'crop', 'crop', 'only this part of the picture, pixels from its top left'),
  ],
  'Technique:': [
    flag('--technique <name>', 'technique', 'text', `${TECHNIQUES.join(', ')} (default pathtrace)`),
    flag('--tier <tier>', 'tier', 'text', 'auto, cpu or gpu (default auto)'),
  ],
  'Sampling:': [
    flag('--samples <n>', 'samples', 'number', 'samples a pixel; with --adaptive the most (default 64)'),
    flag(
      '--adaptive <error>',
      'adaptive.threshold',
      'number',
      'stop where the standard error is below this, e.g. 0.01',
    ),
    flag(
      '--min-samples <n>',
      'adaptive.minSamples',
      'number',
      'with --adaptive: every pixel gets so many (default 16)',
    ),
    flag('--seed <n>', 'seed', 'number', 'seed of the random numbers (default 1)'),
    flag(
      '--filter <kind>',
      'filter.kind',
      'text',
      `pixel filter: ${PIXEL_FILTERS.join(', ')} (default blackman-harris)`,
    ),
    flag('--filter-radius <pixels>', 'filter.radius', 'number', 'its radius (default 1, of a box 0.5)'),
  ],
  'Light:': [
    flag('--depth <n>', 'maxDepth', 'number', 'longest path, in bounces (default 8)'),
    flag('--diffuse-depth <n>', 'depths.diffuse', 'number', 'most diffuse bounces of a path'),
    flag('--specular-depth <n>', 'depths.specular', 'number', 'most reflections of a path'),
    flag('--transmission-depth <n>', 'depths.transmission', 'number', 'most passages through surfaces'),
    flag(
      '--clamp-direct <luminance>',
      'clampDirect',
      'number',
      'most that a sample adds at the first hit (default 0: off)',
    ),
    flag(
      '--clamp-indirect <luminance>',
      'clampIndirect',
      'number',
      'most that a sample adds after it (default 0: off)',
    ),
    flag('--no-energy-compensation', 'energyCompensation', 'off', 'let rough reflections lose light'),
  ],
  'Camera:': [
    flag('--f-stop <n>', 'lens.fStop', 'number', 'thin lens of this aperture (default: pinhole)'),
    flag('--focus <metres>', 'lens.focusDistance', 'number', "focus distance (default: the picture's middle)"),
    flag('--blades <n>', 'lens.blades', 'number', 'blades of the iris (default 0: round)'),
    flag(
      '--shutter <share>',
      'shutter',
      'number',
      'share of the frame that the shutter is open; 0.5 is 180° (default 0)',
    ),
  ],
  'Output:': [
    flag(
      '--layers <names>',
      'output.layers',
      'list',
      `layers of the EXR: ${LAYER_NAMES.join(', ')}; or ${Object.keys(LAYER_GROUPS).join(', ')} (default beauty,albedo,normal,depth)`,
    ),
    flag('--float-layers <names>', 'output.floatLayers', 'list', 'of these, the ones to write as float, not half'),
    flag('--denoised-layers', 'output.denoisedLayers', 'on', 'add denoised copies of beauty and of the light layers'),
    flag('--compression <name>', 'output.compression', 'text', `${EXR_COMPRESSIONS.join(', ')} (default zip)`),
    flag('--color-space <name>', 'output.colorSpace', 'text', 'rec709 or acescg (default rec709)'),
    flag(
      '--picture <format>',
      'output.picture',
      'text',
      `picture beside the EXR: ${PICTURE_FORMATS.join(', ')} (default png)`,
    ),
    flag('--view <transform>', 'view', 'text', `of pictures and film: ${VIEW_TRANSFORMS.join(', ')} (default neutral)`),
    flag('--exposure <stops>', 'exposure', 'number', 'of pictures and film, and of what noise is seen (default 0)'),
    flag('--no-denoise', 'denoise', 'off', 'leave pictures and film noisy (the EXR always is as traced)'),
  ],
};

/** Adds all settings' flags to a command, under headings of their own. */
export function addSettingFlags(command: Command): Command {
  for (const [heading, flags] of Object.entries(GROUPS)) {
    command.optionsGroup(heading);
    for (const { flag, help } of flags) command.option(flag, help);
  }
  return command.optionsGroup('Options:');
}

/**
 * The request that flags make.
 * @throws FarmError or FarmApiError, `SettingInvalid`, `ResolutionInvalid` or `FrameRangeInvalid`, before anything is read or sent
 */
export function requestOf(flags: SettingFlags): RequestedSettings {
  const request: Record<string, unknown> = {};
  for (const setting of Object.values(GROUPS).flat()) {
    const value = flags[keyOf(setting.flag)];
    if (value === undefined || (setting.kind === 'off' && value !== false)) continue;
    const name = setting.flag.split(' ')[0]!;
    if (setting.kind === 'resolution') Object.assign(request, readResolution(String(value)));
    else put(request, setting.path, readValue(name, setting.kind, value));
  }
  const asked = request as RequestedSettings;
  if (asked.adaptive && asked.adaptive.threshold === undefined) {
    throw refuse('SettingInvalid', '--min-samples is only for adaptive sampling.', 'Add --adaptive 0.01, say.', {
      setting: 'adaptive.minSamples',
    });
  }
  checkRequestedSettings(asked);
  return asked;
}

/** `--f-stop <n>` and `--no-denoise` as commander names their values. */
const keyOf = (flag: string): string =>
  flag
    .split(' ')[0]!
    .replace(/^--(no-)?/, '')
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const [first, ...rest] = path.split('.') as [string, ...string[]];
  if (rest.length === 0) target[first] = value;
  else {
    target[first] ??= {};
    put(target[first] as Record<string, unknown>, rest.join('.'), value);
  }
}

function readValue(name: string, kind: SettingFlag['kind'], value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  const text = String(value).trim();
  switch (kind) {
    case 'number':
      return readNumber(name, text);
    case 'list':
      return text
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== '');
    case 'crop': {
      const corners = text.split(',').map((corner) => readNumber(name, corner.trim()));
      if (corners.length !== 4) {
        throw refuse('SettingInvalid', `${name} is "${text}", which is not a rectangle.`, 'Write it as x0,y0,x1,y1.', {
          setting: 'crop',
          value: text,
        });
      }
      const [x0, y0, x1, y1] = corners;
      return { x0, y0, x1, y1 };
    }
    default:
      return text;
  }
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text !== '' && !Number.isNaN(value)) return value;
  throw refuse('SettingInvalid', `${name} is "${text}", which is not a number.`, 'Give a number.', {
    setting: name.slice(2),
    value: text,
  });
}

function readResolution(text: string): { width: number; height: number } {
  const size = /^(\d{1,9})[x×](\d{1,9})$/.exec(text.trim());
  if (size) return { width: Number(size[1]), height: Number(size[2]) };
  throw refuse('ResolutionInvalid', `"${text}" is not a resolution.`, 'Write it as 1920x1080.', { resolution: text });
}
