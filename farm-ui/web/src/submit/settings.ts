/** The settings form as text, and the request it makes. */
import type { ReactNode } from 'react';
import type { components } from '../../../../cli/sdk/openapi.d.ts';
import type { JobRequest } from '../api/types.ts';

type RenderSettings = components['schemas']['RenderSettings'];
export type LayerName = RenderSettings['output']['layers'][number];

/** Fields that are one line of text or one of a list; by the path that they have in a request. */
const TEXT_FIELDS = {
  ...{ name: '', main: '', frames: '', scene: '', variant: '', camera: '', template: '' },
  ...{ tier: '', view: '', crop: '', 'filter.kind': '' },
  ...{ 'output.compression': '', 'output.colorSpace': '', 'output.picture': '', 'output.floatLayers': '' },
} as const satisfies Record<string, string>;

/** Fields that hold a number. */
const NUMBER_FIELDS = {
  ...{ width: '960', height: '540', samples: '64', priority: '3' },
  ...{ fps: '', start: '', seed: '', exposure: '', shutter: '' },
  ...{ 'adaptive.threshold': '', 'adaptive.minSamples': '', 'filter.radius': '' },
  ...{ maxDepth: '', 'depths.diffuse': '', 'depths.specular': '', 'depths.transmission': '' },
  ...{ clampDirect: '', clampIndirect: '' },
  ...{ 'lens.fStop': '', 'lens.focusDistance': '', 'lens.blades': '' },
} as const satisfies Record<string, string>;

export type TextField = keyof typeof TEXT_FIELDS | keyof typeof NUMBER_FIELDS;

/** Everything as typed; empty means "what the scene or the farm says". */
export type SettingsText = Record<TextField, string> & {
  technique: RenderSettings['technique'];
  denoise: boolean;
  /** Take frames that the farm knows from the frame cache. */
  cache: boolean;
  energyCompensation: boolean;
  /** Without beauty, which is always there. */
  'output.layers': LayerName[];
  'output.denoisedLayers': boolean;
};

export type SettingsField = keyof SettingsText | 'files' | 'cap';
export type ProblemAt = (field: SettingsField) => ReactNode;

export const DEFAULT_SETTINGS: SettingsText = {
  ...TEXT_FIELDS,
  ...NUMBER_FIELDS,
  technique: 'pathtrace',
  denoise: true,
  cache: true,
  energyCompensation: true,
  'output.layers': ['albedo', 'normal', 'depth'],
  'output.denoisedLayers': false,
};

const isNumber = (field: string): boolean => field in NUMBER_FIELDS;

/** A field whose text cannot even be read; the farm checks the rest, so that there is one set of rules. */
export function firstMistake(settings: SettingsText): { field: SettingsField; message: string } | null {
  for (const field of Object.keys(NUMBER_FIELDS) as TextField[]) {
    const text = settings[field].trim();
    if (text !== '' && !Number.isFinite(Number(text))) return { field, message: `"${text}" is not a number.` };
  }
  const crop = settings.crop.trim();
  if (crop !== '' && !cornersOf(crop)) {
    return { field: 'crop', message: `"${crop}" is not a rectangle; write it as x0,y0,x1,y1.` };
  }
  if (settings['adaptive.minSamples'].trim() !== '' && settings['adaptive.threshold'].trim() === '') {
    return { field: 'adaptive.threshold', message: 'A least number of samples is only for adaptive sampling.' };
  }
  return null;
}

/** The request without files; empty fields and what is the default anyway are left out. */
export function toRequest(settings: SettingsText): Omit<JobRequest, 'files'> {
  const request: Record<string, unknown> = { technique: settings.technique, denoise: settings.denoise };
  for (const field of Object.keys({ ...TEXT_FIELDS, ...NUMBER_FIELDS }) as TextField[]) {
    const text = settings[field].trim();
    if (text !== '' && appliesTo(field, settings.technique)) put(request, field, readField(field, text));
  }
  if (!settings.energyCompensation) request.energyCompensation = false;
  if (!settings.cache) request.cache = false;
  if (settings['output.denoisedLayers']) put(request, 'output.denoisedLayers', true);
  const layers = settings['output.layers'];
  if (layers.join() !== DEFAULT_SETTINGS['output.layers'].join()) put(request, 'output.layers', layers);
  return { name: '', main: '', ...request };
}

/** Adaptive sampling is part of a final; its fields are out of sight elsewhere. */
const appliesTo = (field: string, technique: SettingsText['technique']): boolean =>
  technique === 'pathtrace' || !field.startsWith('adaptive.');

function readField(field: TextField, text: string): unknown {
  if (field === 'crop') return cornersOf(text);
  if (field === 'output.floatLayers') return text.split(',').map((name) => name.trim());
  return isNumber(field) ? Number(text) : text;
}

function cornersOf(text: string): { x0: number; y0: number; x1: number; y1: number } | null {
  const [x0, y0, x1, y1, ...more] = text.split(',').map((corner) => Number(corner.trim() || Number.NaN));
  if (more.length > 0 || [x0, y0, x1, y1].some((corner) => corner === undefined || Number.isNaN(corner))) return null;
  return { x0, y0, x1, y1 } as { x0: number; y0: number; x1: number; y1: number };
}

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) target[first] = value;
  else {
    target[first] ??= {};
    put(target[first] as Record<string, unknown>, rest.join('.'), value);
  }
}

const BY_CODE: Record<string, SettingsField> = {
  FrameRangeInvalid: 'frames',
  FrameRangeTooLarge: 'frames',
  ResolutionInvalid: 'width',
  CameraUnknown: 'camera',
  TemplateInvalid: 'template',
  FileNotFound: 'files',
  FileEmpty: 'files',
  SceneInvalid: 'files',
  SceneAmbiguous: 'files',
  EnvironmentInvalid: 'files',
  SceneUnsupported: 'files',
  SceneTooLarge: 'files',
  AssetMissing: 'files',
  HashMismatch: 'files',
  NameInvalid: 'files',
  CapTooSmall: 'cap',
};

/** The spot of the form that a problem is about, or null when it is about the whole. */
export function fieldOf(problem: { code: string; place: Record<string, unknown> }): SettingsField | null {
  for (const key of ['field', 'setting', 'name']) {
    const named = problem.place[key];
    if (typeof named !== 'string') continue;
    const parts = named.split(/[./]/).filter(Boolean);
    // `body/filter/radius`, `filter.radius`, `crop.x0`: the longest run of words that is a field.
    for (let from = 0; from < parts.length; from++) {
      for (let to = parts.length; to > from; to--) {
        const path = parts.slice(from, to).join('.');
        if (path in DEFAULT_SETTINGS && path !== 'name') return path as SettingsField;
      }
    }
    if (parts.at(-1) === 'name' && parts.length <= 2) return 'name';
    if (parts[0] === 'files') return 'files';
  }
  for (const key of Object.keys(problem.place)) {
    if (key in DEFAULT_SETTINGS && key !== 'name' && BY_CODE[problem.code] === undefined) return key as SettingsField;
  }
  return BY_CODE[problem.code] ?? null;
}
