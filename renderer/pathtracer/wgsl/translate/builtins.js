/** WebAssembly's built-in operations of the subset, as WGSL. `arg(i, type)` is the code of an argument; types are checked there. */
import { isInteger } from './values.js';

/** @typedef {import('./values.js').Value} Value */
/** @typedef {import('./values.js').ValueType} ValueType */
/**
 * @typedef {object} Call
 * @property {(index: number, type: ValueType) => string} arg code of an argument, converted to the type
 * @property {(index: number) => number} lane an argument that must be a literal
 * @property {number} count of arguments
 * @property {string | undefined} typeName the text between < and >
 * @property {(reason: string) => never} fail
 */

/** @param {Call} call */
function numeric(call) {
  const type = call.typeName === 'usize' ? 'u32' : call.typeName;
  if (type !== 'f32' && type !== 'i32' && type !== 'u32') return call.fail('write the type: f32, i32 or u32');
  return type;
}

/** @param {string} name of the WGSL function of the same arguments */
const same =
  (name, count = 1) =>
  (/** @type {Call} */ call) => {
    const type = numeric(call);
    const args = Array.from({ length: count }, (_, i) => call.arg(i, type));
    return { code: `${name}(${args.join(', ')})`, type };
  };

/** @param {string} name */
const float = (name) => (/** @type {Call} */ call) => {
  if (call.typeName !== 'f32') call.fail(`${name} is for f32`);
  return { code: `${name}(${call.arg(0, 'f32')})`, type: /** @type {const} */ ('f32') };
};

/** @param {string} name */
const bits = (name) => (/** @type {Call} */ call) => {
  const type = numeric(call);
  if (!isInteger(type)) call.fail(`${name} is for integers`);
  return { code: `${name}(${call.arg(0, type)})`, type };
};

/** @param {string} operator */
const lanes = (operator) => (/** @type {Call} */ call) => ({
  code: `(${call.arg(0, 'v128')} ${operator} ${call.arg(1, 'v128')})`,
  type: /** @type {const} */ ('v128'),
});

/** @param {string} name */
const vector =
  (name, count = 2) =>
  (/** @type {Call} */ call) => ({
    code: `${name}(${Array.from({ length: count }, (_, i) => call.arg(i, 'v128')).join(', ')})`,
    type: /** @type {const} */ ('v128'),
  });

/** @param {string} operator */
const compare = (operator) => (/** @type {Call} */ call) => ({
  code: `(${call.arg(0, 'v128')} ${operator} ${call.arg(1, 'v128')})`,
  type: /** @type {const} */ ('mask'),
});

const LANES = 'xyzw';

/** @param {Call} call @param {number} pointer @param {number} offset */
const address = (call, pointer, offset) =>
  call.count > offset ? `(${call.arg(pointer, 'u32')} + ${call.arg(offset, 'u32')})` : call.arg(pointer, 'u32');

/** Loads that WGSL has no type for become wider ones. @type {Record<string, ValueType>} */
const LOADS = { f32: 'f32', i32: 'i32', u32: 'u32', usize: 'u32', u16: 'u32', u8: 'u32' };

/** @type {Record<string, (call: Call) => Value>} */
export const BUILTINS = {
  abs: same('abs'),
  min: same('min', 2),
  max: same('max', 2),
  sqrt: float('sqrt'),
  floor: float('floor'),
  ceil: float('ceil'),
  trunc: float('trunc'),
  nearest: float('round'),
  clz: bits('countLeadingZeros'),
  ctz: bits('countTrailingZeros'),
  popcnt: bits('countOneBits'),
  copysign: (call) => ({ code: `copysign_f32(${call.arg(0, 'f32')}, ${call.arg(1, 'f32')})`, type: 'f32' }),
  select: (call) => {
    const type = call.typeName === 'v128' ? 'v128' : numeric(call);
    return { code: `select(${call.arg(1, type)}, ${call.arg(0, type)}, ${call.arg(2, 'bool')})`, type };
  },
  reinterpret: (call) => {
    const type = numeric(call);
    return { code: `bitcast<${type}>(${call.arg(0, type === 'f32' ? 'u32' : 'f32')})`, type };
  },
  load: (call) => {
    const type = LOADS[call.typeName ?? ''] ?? call.fail('load<f32 | i32 | u32 | u16 | u8>');
    return { code: `load_${call.typeName === 'usize' ? 'u32' : call.typeName}(${address(call, 0, 1)})`, type };
  },
  'v128.load': (call) => ({ code: `load_vec4(${address(call, 0, 1)})`, type: 'v128' }),
  'v128.shuffle': (call) => {
    if (call.typeName !== 'f32') call.fail('shuffle<f32> only');
    const [a, b] = [call.arg(0, 'v128'), call.arg(1, 'v128')];
    const picked = [2, 3, 4, 5].map((i) => call.lane(i));
    if (a === b) return { code: `${a}.${picked.map((lane) => LANES[lane & 3]).join('')}`, type: 'v128' };
    const parts = picked.map((lane) => `${lane < 4 ? a : b}.${LANES[lane & 3]}`);
    return { code: `vec4<f32>(${parts.join(', ')})`, type: 'v128' };
  },
  i32x4: (call) => {
    if ([0, 1, 2, 3].some((i) => call.lane(i) !== 0))
      call.fail('v128 holds four floats; only i32x4(0, 0, 0, 0) is zero in both');
    return { code: 'vec4<f32>()', type: 'v128' };
  },
  f32x4: (call) => ({ code: `vec4<f32>(${[0, 1, 2, 3].map((i) => call.arg(i, 'f32')).join(', ')})`, type: 'v128' }),
  'f32x4.splat': (call) => ({ code: `vec4<f32>(${call.arg(0, 'f32')})`, type: 'v128' }),
  'f32x4.extract_lane': (call) => ({ code: `${call.arg(0, 'v128')}.${LANES[call.lane(1)]}`, type: 'f32' }),
  'f32x4.replace_lane': (call) => ({
    code: `replace_lane${call.lane(1)}(${call.arg(0, 'v128')}, ${call.arg(2, 'f32')})`,
    type: 'v128',
  }),
  'f32x4.add': lanes('+'),
  'f32x4.sub': lanes('-'),
  'f32x4.mul': lanes('*'),
  'f32x4.div': lanes('/'),
  'f32x4.min': vector('min'),
  'f32x4.max': vector('max'),
  'f32x4.pmin': vector('pmin'),
  'f32x4.pmax': vector('pmax'),
  'f32x4.abs': vector('abs', 1),
  'f32x4.sqrt': vector('sqrt', 1),
  'f32x4.floor': vector('floor', 1),
  'f32x4.lt': compare('<'),
  'f32x4.le': compare('<='),
  'f32x4.gt': compare('>'),
  'f32x4.ge': compare('>='),
  'v128.bitselect': (call) => ({
    code: `select(${call.arg(1, 'v128')}, ${call.arg(0, 'v128')}, ${call.arg(2, 'mask')})`,
    type: 'v128',
  }),
  'f32x4.neg': (call) => ({ code: `(-${call.arg(0, 'v128')})`, type: 'v128' }),
};
