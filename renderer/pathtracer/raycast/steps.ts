/** The ray-cast look as a list of kernels: what each reads and leaves. */
import { findHit } from './kernels/find.ts';
import { shade } from './kernels/shade.ts';
import { baseColour, sampleTextures, shadingNormal } from './kernels/surface.ts';

/** What kernels read beside each other's results. */
export type TableName =
  | 'view'
  | 'slots'
  | 'boxes'
  | 'triangles'
  | 'instances'
  | 'corners'
  | 'vertices'
  | 'materials'
  | 'texels'
  | 'places'
  | 'lights'
  | 'irradiance'
  | 'sharp'
  | 'blurred';

/** Numbers in rows of `size[0]`, `size[1]` rows, and so on; one size for a vector. Data may be shorter: the rest is not looked at. */
export interface Table {
  data: Float32Array;
  size: readonly number[];
}

export type Tables = Record<TableName, Table>;

/** Kernels by their results, four numbers a pixel each; `textures` has a plane for each slot. In the order in which they run. */
export type StepName = 'find' | 'textures' | 'base' | 'normal' | 'shade';

interface Step {
  body: unknown;
  /** In the order of the body's arguments. */
  reads: readonly (TableName | StepName)[];
  constants?: Record<string, number>;
}

/** Boxes that a ray looks at before it is given up: more than any tree has. */
export const MAX_STEPS = 33_554_432;

const SURFACE = ['instances', 'corners', 'vertices', 'materials'] as const;

export const STEPS: Record<StepName, Step> = {
  find: {
    body: findHit,
    reads: ['view', 'boxes', 'triangles', ...SURFACE, 'texels'],
    constants: { maxSteps: MAX_STEPS },
  },
  textures: { body: sampleTextures, reads: ['view', 'slots', 'find', ...SURFACE, 'texels'] },
  base: { body: baseColour, reads: ['view', 'find', 'textures', ...SURFACE] },
  normal: { body: shadingNormal, reads: ['view', 'find', 'textures', ...SURFACE] },
  shade: {
    body: shade,
    reads: [
      ...(['view', 'find', 'textures', 'base', 'normal', 'places', 'instances', 'materials'] as const),
      ...(['lights', 'irradiance', 'sharp', 'blurred'] as const),
    ],
  },
};

export const STEP_NAMES = Object.keys(STEPS) as StepName[];

export const isStep = (name: TableName | StepName): name is StepName => name in STEPS;

/** A table of rows, `width` numbers each. */
export const rows = (data: Float32Array, width: number): Table => ({
  data,
  size: [width, Math.max(1, data.length / width)],
});

export const vector = (data: Float32Array): Table => ({ data, size: [data.length] });

export const lengthOf = ({ size }: Pick<Table, 'size'>): number => size.reduce((product, side) => product * side, 1);
