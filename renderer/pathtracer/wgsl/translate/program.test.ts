import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
// @ts-expect-error the translator is plain JavaScript, which the build runs
import { translateProgram } from './program.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'framewright-translate-'));
afterAll(() => rmSync(folder, { recursive: true }));

let next = 0;
/** WGSL of a module that declares `source`, of which `f` is used. */
function translate(source: string): string {
  const name = `m${next++}`;
  writeFileSync(path.join(folder, `${name}.ts`), source);
  return translateProgram(folder, [name], `fn main() { ${name}_f(); }`).replaceAll(`${name}_`, '');
}

it('translates types, literals and memory', () => {
  const text = translate(`
    const STRIDE = 16;
    let table: usize = 0;
    export function f(i: i32, s: f32): f32 {
      i += 1;
      const at = table + <usize>i * STRIDE;
      return load<f32>(at, 4) * s + <f32>0.5;
    }`);
  expect(text).toContain('const STRIDE: i32 = 16i;');
  expect(text).toContain('var<private> table: u32 = 0u;');
  expect(text).toContain('fn f(i_in: i32, s_: f32) -> f32 {');
  expect(text).toContain('var at_: u32 = (table + (u32(i_) * u32(STRIDE)));');
  expect(text).toContain('return ((load_f32((at_ + 4u)) * s_) + 0.5f);');
});

it('evaluates one side only where a side calls or loads', () => {
  const text = translate(`
    function g(at: usize): f32 { return load<f32>(at); }
    export function f(at: usize): f32 { return at ? g(at) : <f32>1.0; }`);
  expect(text).toMatch(
    /if \(\(at_ != 0u\)\) \{\s+choice0 = g\(at_\);\s+\} else \{\s+choice0 = 1\.0f;\s+\}\s+return choice0;/,
  );
  expect(translate('export function f(a: f32): f32 { return a > <f32>0.0 ? a : -a; }')).toContain(
    'return select((-a_), a_,',
  );
});

it('selects by lanes, and takes what compares lanes for nothing else', () => {
  const text = translate(`
    export function f(a: v128, b: v128): v128 { return v128.bitselect(a, f32x4.mul(a, b), f32x4.gt(a, b)); }`);
  expect(text).toContain('return select((a_ * b_), a_, (a_ > b_));');
  const misused = 'export function f(a: v128, b: v128): v128 { return f32x4.add(a, f32x4.gt(a, b)); }';
  expect(() => translate(misused)).toThrow('mask where v128 is needed');
});

it('keeps what follows && and || unevaluated, also in loops', () => {
  const text = translate(`
    function g(at: usize): f32 { return load<f32>(at); }
    export function f(at: usize): usize {
      while (at != 0 && (at > 9 ? g(at) : <f32>0.0) > <f32>0.0) at -= 4;
      return at;
    }`);
  const loop = text.slice(text.indexOf('loop {'));
  expect(loop.indexOf('if (choice1) {')).toBeGreaterThan(0);
  expect(loop.indexOf('g(at_)')).toBeGreaterThan(loop.indexOf('if (choice1) {'));
  expect(loop).toMatch(/if \(!\(choice1\)\) \{ break; \}/);
});

for (const [what, source, reason] of [
  [
    'a store',
    'export function f(at: usize): void {\n  store<f32>(at, <f32>1.0);\n}',
    /m\d+\.ts:2:3: store is not known/,
  ],
  [
    'an f64 literal',
    'export function f(): f32 {\n  const a = 0.5;\n  return <f32>a;\n}',
    /:2:13: this literal is an f64/,
  ],
  ['an i64', 'export function f(a: i64): void {}', /:1:22: types are/],
  ['an array', 'export function f(): void {\n  const a = [1];\n}', /:2:13: ArrayLiteralExpression/],
  ['recursion', 'export function f(): void {\n  f();\n}', /:1:1: recursion/],
  [
    'a choice that would overtake a call',
    'let n: i32 = 0;\nfunction g(): i32 { n += 1; return n; }\nexport function f(): i32 {\n  return g() + (n ? g() : 0);\n}',
    /:4:17: this choice would be evaluated before/,
  ],
  ['mixed signs', 'export function f(a: i32, b: u32): bool {\n  return a < b;\n}', /:2:10: i32 is compared with u32/],
] as const) {
  it(`refuses ${what}, naming the place`, () => {
    expect(() => translate(source)).toThrow(reason);
  });
}
