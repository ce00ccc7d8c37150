/** Types of the subset and their values in WGSL: AssemblyScript's rules for literals and implicit conversions. */
import ts from 'typescript';
import { TranslationError } from './source.js';

/** `mask`: a truth value for each lane, which `v128.bitselect` takes and nothing else. */
/** @typedef {'f32' | 'i32' | 'u32' | 'bool' | 'v128' | 'mask' | 'void'} ValueType */
/** @typedef {{ code: string, type: ValueType }} Value */

/** Type names of the sources. Addresses are 32-bit numbers on both sides. */
const TYPES = new Map(
  Object.entries({ f32: 'f32', i32: 'i32', u32: 'u32', usize: 'u32', bool: 'bool', v128: 'v128', void: 'void' }),
);

export const WGSL_TYPES = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
  bool: 'bool',
  v128: 'vec4<f32>',
  mask: 'vec4<bool>',
  void: '',
};

/** An unbounded distance. WGSL has no infinities: the largest float stands for it, and is only compared. */
const UNBOUNDED = '3.4028234663852886e+38f';

/**
 * @param {ts.TypeNode | undefined} node
 * @param {ts.Node} owner
 * @returns {ValueType}
 */
export function typeOf(node, owner) {
  const type = node && TYPES.get(node.getText());
  if (!type) throw new TranslationError(node ?? owner, 'types are f32, i32, u32, usize, bool, v128 and void');
  return type;
}

/** @param {ValueType} type */
export const isInteger = (type) => type === 'i32' || type === 'u32';

/**
 * A numeric literal where `wanted` is what the context asks for.
 * @param {ts.NumericLiteral} node
 * @param {ValueType | undefined} wanted
 * @param {boolean} negative
 * @returns {Value}
 */
export function literal(node, wanted, negative = false) {
  const value = Number(node.text) * (negative ? -1 : 1);
  if (wanted === 'f32') return { code: floatCode(value), type: 'f32' };
  if (/^[\d_]*\.|e-|^\d[\d_]*e/i.test(node.getText()) && !/^0x/i.test(node.getText())) {
    throw new TranslationError(node, 'this literal is an f64; write <f32>…');
  }
  if (wanted === 'u32') return { code: `${value >>> 0}u`, type: 'u32' };
  if (value > 0x7fffffff && value <= 0xffffffff && wanted === 'i32') return { code: intCode(value | 0), type: 'i32' };
  if (value > 0x7fffffff || value < -0x80000000) throw new TranslationError(node, 'this literal is an i64');
  return { code: intCode(value), type: 'i32' };
}

/** @param {number} value */
const intCode = (value) => (value === -0x80000000 ? '(-2147483647i - 1i)' : value < 0 ? `(${value}i)` : `${value}i`);

/** @param {number} value */
function floatCode(value) {
  const rounded = Math.fround(value);
  const text = String(rounded);
  const code = /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
  return rounded < 0 || Object.is(rounded, -0) ? `(${Object.is(rounded, -0) ? '-0.0f' : code})` : code;
}

/** @returns {Value} */
export const unbounded = () => ({ code: UNBOUNDED, type: 'f32' });

/**
 * Implicit conversion, as AssemblyScript allows it: between integers of 32 bits, and from bool to integers.
 * @param {Value} value
 * @param {ValueType} type
 * @param {ts.Node} node
 * @returns {string}
 */
export function coerce(value, type, node) {
  if (value.type === type) return value.code;
  if (isInteger(type) && (isInteger(value.type) || value.type === 'bool')) return convert(value, type, node);
  throw new TranslationError(node, `${value.type} where ${type} is needed`);
}

/**
 * Explicit conversion `<type>value`.
 * @param {Value} value
 * @param {ValueType} type
 * @param {ts.Node} node
 * @returns {string}
 */
export function convert(value, type, node) {
  if (value.type === type) return value.code;
  if (type === 'v128' || value.type === 'v128' || type === 'void' || value.type === 'void') {
    throw new TranslationError(node, `${value.type} does not convert to ${type}`);
  }
  if (type === 'bool') return condition(value, node);
  return `${type}(${value.code})`;
}

/**
 * What counts as true.
 * @param {Value} value
 * @param {ts.Node} node
 * @returns {string}
 */
export function condition(value, node) {
  if (value.type === 'bool') return value.code;
  if (value.type === 'i32') return `(${value.code} != 0i)`;
  if (value.type === 'u32') return `(${value.code} != 0u)`;
  throw new TranslationError(node, `${value.type} is no condition; compare it`);
}
