/** The settings form as text, and the request it makes. */
import type { JobRequest } from '../api/types.ts';

/** Everything as typed; empty means "what the scene or the farm says". */
export interface SettingsText {
  name: string;
  main: string;
  frames: string;
  width: string;
  height: string;
  samples: string;
  camera: string;
  fps: string;
  start: string;
  maxDepth: string;
  seed: string;
  exposure: string;
  template: string;
  priority: string;
  denoise: boolean;
}

export type SettingsField = keyof SettingsText | 'files' | 'cap';

export const DEFAULT_SETTINGS: SettingsText = {
  name: '',
  main: '',
  frames: '',
  width: '960',
  height: '540',
  samples: '64',
  camera: '',
  fps: '',
  start: '',
  maxDepth: '',
  seed: '',
  exposure: '',
  template: '',
  priority: '3',
  denoise: true,
};

const NUMBERS = ['width', 'height', 'samples', 'fps', 'start', 'maxDepth', 'seed', 'exposure', 'priority'] as const;

/** A field whose text is not even a number; the farm checks the rest, so that there is one set of rules. */
export function firstMistake(settings: SettingsText): { field: SettingsField; message: string } | null {
  for (const field of NUMBERS) {
    const text = settings[field].trim();
    if (text !== '' && !Number.isFinite(Number(text))) return { field, message: `"${text}" is not a number.` };
  }
  return null;
}

/** The request without files; empty fields are left out. */
export function toRequest(settings: SettingsText): Omit<JobRequest, 'files'> {
  const number = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));
  const words = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
  const request: Omit<JobRequest, 'files'> = {
    name: settings.name.trim(),
    main: settings.main,
    frames: words(settings.frames),
    camera: words(settings.camera),
    template: words(settings.template),
    denoise: settings.denoise,
  };
  for (const field of NUMBERS) request[field] = number(settings[field]);
  return JSON.parse(JSON.stringify(request)) as Omit<JobRequest, 'files'>;
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
    const last = named.split(/[./]/).filter(Boolean).at(-1) ?? '';
    if (last in DEFAULT_SETTINGS) return last as SettingsField;
    if (named.startsWith('files') || named.startsWith('/files')) return 'files';
  }
  for (const key of Object.keys(problem.place)) {
    if (key in DEFAULT_SETTINGS && key !== 'name' && BY_CODE[problem.code] === undefined) return key as SettingsField;
  }
  return BY_CODE[problem.code] ?? null;
}
