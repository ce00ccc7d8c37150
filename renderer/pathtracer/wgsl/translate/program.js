/**
 * The whole program: hand-written WGSL ("twins" of what is particular to the CPU, and the kernels) plus the translation of
 * everything in the AssemblyScript modules that these name, directly or through one another.
 */
import ts from 'typescript';
import { Expressions } from './expressions.js';
import { assignedNames, translateFunction } from './functions.js';
import { SourceModule, TranslationError, wgslNameOf } from './source.js';
import { coerce, typeOf, WGSL_TYPES } from './values.js';

/** @typedef {import('./values.js').ValueType} ValueType */
/** @typedef {import('./source.js').Declaration} Declaration */
/** @typedef {{ wgslName: string, parameters: ValueType[], result: ValueType, writes: boolean, isCheap: boolean }} Callee */

/**
 * Translates what `twins` need from the modules in `folder`.
 * @param {string} folder of the AssemblyScript sources
 * @param {string[]} modules names without `.ts` that twins may name
 * @param {string} twins hand-written WGSL; what it declares replaces the declaration of the same name in the sources
 * @returns {string} WGSL to stand beside the twins
 * @throws {TranslationError} where the sources leave the subset
 */
export function translateProgram(folder, modules, twins) {
  return new Program(folder, modules, twins).translate();
}

class Program {
  #folder;
  #twins;
  /** @type {Map<string, SourceModule>} */
  #modules = new Map();
  /** @type {Map<string, string>} WGSL name to text, in the order of discovery */
  #emitted = new Map();
  /** @type {Declaration[]} */
  #queue = [];
  #requested = new Set();
  /** @type {Map<string, { writes: boolean, isCheap: boolean }>} */
  #traits = new Map();

  /** @param {string} folder @param {string[]} modules @param {string} twins */
  constructor(folder, modules, twins) {
    this.#folder = folder;
    this.#twins = readTwins(twins);
    for (const name of modules) this.module(name);
    for (const [name, uses] of this.#twins.uses) this.#requestByWgslName(name, uses);
  }

  translate() {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      this.#emitted.set(next.wgslName, this.#emit(next));
    }
    return [...this.#emitted.values()].join('\n\n');
  }

  /** @param {string} name */
  module(name) {
    const known = this.#modules.get(name) ?? new SourceModule(this.#folder, name);
    this.#modules.set(name, known);
    return known;
  }

  /** @param {string} name @param {number} line */
  #requestByWgslName(name, line) {
    const named = [...this.#modules.keys()].filter((module) => name.startsWith(wgslNameOf(module, '')));
    const module = named.sort((a, b) => b.length - a.length)[0];
    if (module === undefined) return;
    const inside = name.slice(wgslNameOf(module, '').length);
    const declaration = this.#named(module, inside);
    if (!declaration) throw new Error(`hand-written WGSL, line ${line}: ${module}.ts has no ${inside}`);
    this.request(declaration);
  }

  /** @param {Declaration} declaration */
  request(declaration) {
    if (this.#requested.has(declaration.wgslName) || this.#twins.declared.has(declaration.wgslName)) return;
    this.#requested.add(declaration.wgslName);
    this.#queue.push(declaration);
  }

  /**
   * What a name, or a name of a module that is imported as a whole, means in a module.
   * @param {string} moduleName
   * @param {ts.Node} node
   * @returns {Declaration | undefined}
   */
  lookUp(moduleName, node) {
    const module = this.module(moduleName);
    if (ts.isPropertyAccessExpression(node)) {
      const whole = module.namespaces.get(node.expression.getText());
      return whole === undefined ? undefined : this.#named(whole, node.name.text);
    }
    return this.#named(moduleName, node.getText());
  }

  /** @param {string} moduleName @param {string} name @returns {Declaration | undefined} */
  #named(moduleName, name) {
    const module = this.module(moduleName);
    const imported = module.imports.get(name);
    return imported ? this.#named(imported.module, imported.name) : module.declarations.get(name);
  }

  /**
   * The same, which must be there and becomes part of the program.
   * @param {string} moduleName
   * @param {ts.Node} node
   * @returns {Declaration}
   */
  resolve(moduleName, node) {
    const found = this.lookUp(moduleName, node);
    if (!found) throw new TranslationError(node, `${node.getText()} is not known here, or not part of the subset`);
    this.request(found);
    return found;
  }

  /** @param {Declaration} declaration @returns {ValueType} */
  typeOfVariable({ module, node }) {
    if (node.type) return typeOf(node.type, node);
    const { initializer } = /** @type {ts.VariableDeclaration} */ (node);
    if (!initializer) throw new TranslationError(node, 'a variable needs a type or a value');
    return new Expressions(new Scope(this, module)).value(initializer).type;
  }

  /** @param {Declaration} declaration @returns {Callee} */
  callee(declaration) {
    const node = /** @type {ts.FunctionDeclaration} */ (declaration.node);
    return {
      wgslName: declaration.wgslName,
      parameters: node.parameters.map((parameter) => typeOf(parameter.type, parameter)),
      result: typeOf(node.type, node),
      ...this.#traitsOf(declaration, []),
    };
  }

  /**
   * Whether a function changes module variables, and whether it is so short that evaluating it in vain costs nothing.
   * @param {Declaration} declaration
   * @param {string[]} callers
   */
  #traitsOf(declaration, callers) {
    const known = this.#traits.get(declaration.wgslName);
    if (known) return known;
    if (callers.includes(declaration.wgslName)) {
      throw new TranslationError(declaration.node, `recursion: ${[...callers, declaration.wgslName].join(' > ')}`);
    }
    if (this.#twins.declared.has(declaration.wgslName)) {
      return { writes: !this.#twins.pure.has(declaration.wgslName), isCheap: false };
    }
    const module = this.module(declaration.module);
    const traits = { writes: false, isCheap: true };
    for (const name of assignedNames(declaration.node)) {
      if (module.declarations.get(name)?.kind === 'variable') traits.writes = true;
    }
    const visit = (/** @type {ts.Node} */ node) => {
      if (ts.isIterationStatement(node, false) || ts.isIfStatement(node) || ts.isConditionalExpression(node))
        traits.isCheap = false;
      if (ts.isCallExpression(node)) {
        const text = node.expression.getText();
        const target = this.lookUp(declaration.module, node.expression);
        const inner =
          target?.kind === 'function' ? this.#traitsOf(target, [...callers, declaration.wgslName]) : undefined;
        if (inner?.writes) traits.writes = true;
        if (text === 'load' || text === 'v128.load' || inner?.isCheap === false) traits.isCheap = false;
      }
      ts.forEachChild(node, visit);
    };
    visit(declaration.node);
    this.#traits.set(declaration.wgslName, traits);
    return traits;
  }

  /** @param {Declaration} declaration */
  #emit(declaration) {
    const { kind, module, node, wgslName } = declaration;
    const scope = new Scope(this, module);
    if (kind === 'function') {
      this.#traitsOf(declaration, []);
      return translateFunction(/** @type {ts.FunctionDeclaration} */ (node), wgslName, scope);
    }
    const { initializer } = /** @type {ts.VariableDeclaration} */ (node);
    if (!initializer) throw new TranslationError(node, 'a module variable needs a value');
    const type = this.typeOfVariable(declaration);
    const expressions = new Expressions(scope);
    const code = coerce(expressions.value(initializer, type), type, node);
    if (expressions.lifted.length > 0) throw new TranslationError(node, 'a module variable needs a constant value');
    return `${kind === 'constant' ? 'const' : 'var<private>'} ${wgslName}: ${WGSL_TYPES[type]} = ${code};`;
  }
}

/** Names that a function sees: its own, then those of its module and imports. */
export class Scope {
  #program;
  #module;
  /** @type {Map<string, { code: string, type: ValueType }>[]} */
  #blocks = [];

  /** @param {Program} program @param {string} module */
  constructor(program, module) {
    this.#program = program;
    this.#module = module;
  }

  enter() {
    this.#blocks.push(new Map());
  }

  leave() {
    this.#blocks.pop();
  }

  /** @param {ts.Identifier} name @param {ValueType} type @returns {string} the local's name in WGSL */
  declare(name, type) {
    // The ending keeps locals apart from WGSL's own words and functions.
    const code = `${name.text}_`;
    this.#blocks.at(-1)?.set(name.text, { code, type });
    return code;
  }

  /** @param {ts.Node} node @returns {{ code: string, type: ValueType, isModuleVariable: boolean }} */
  variable(node) {
    const name = node.getText();
    const local = this.#blocks.findLast((block) => block.has(name))?.get(name);
    if (local) return { ...local, isModuleVariable: false };
    const declaration = this.#program.resolve(this.#module, node);
    if (declaration.kind === 'function') throw new TranslationError(node, 'functions are called only');
    return {
      code: declaration.wgslName,
      type: this.#program.typeOfVariable(declaration),
      isModuleVariable: declaration.kind === 'variable',
    };
  }

  /** @param {ts.Node} node @returns {Callee} */
  callee(node) {
    const declaration = this.#program.resolve(this.#module, node);
    if (declaration.kind !== 'function') throw new TranslationError(node, `${node.getText()} is no function`);
    return this.#program.callee(declaration);
  }
}

/**
 * What hand-written WGSL declares and names. A function marked `@must_use` changes no variable.
 * @param {string} text
 */
function readTwins(text) {
  const declared = new Set();
  const pure = new Set();
  /** @type {Map<string, number>} name to the line of its first use */
  const uses = new Map();
  text.split('\n').forEach((line, index) => {
    const code = line.replace(/\/\/.*/, '');
    const declaration = /^\s*(@must_use\s+)?(?:fn|var<\w+>|const|override|struct)\s+([A-Za-z]\w*)/.exec(code);
    const name = declaration?.[2];
    if (name) {
      declared.add(name);
      if (declaration[1]) pure.add(name);
    }
    for (const [word] of code.matchAll(/\b[a-z]\w*_\w+\b/g)) if (!uses.has(word)) uses.set(word, index + 1);
  });
  for (const name of declared) uses.delete(name);
  return { declared, pure, uses };
}
