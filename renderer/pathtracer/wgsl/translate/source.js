/**
 * Reads the tracer's AssemblyScript modules: what each declares and imports. Only parsing is TypeScript's; types follow
 * AssemblyScript's rules (see `values.js`).
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

/** Anything outside the subset: names file, line and reason. */
export class TranslationError extends Error {
  /**
   * @param {ts.Node} node where
   * @param {string} reason what is not part of the subset, and what to write instead
   */
  constructor(node, reason) {
    const file = node.getSourceFile();
    const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
    super(`${basename(file.fileName)}:${line + 1}:${character + 1}: ${reason}\n  ${node.getText(file).split('\n')[0]}`);
  }
}

/**
 * @typedef {object} Declaration
 * @property {'function' | 'variable' | 'constant'} kind
 * @property {string} module
 * @property {string} name
 * @property {string} wgslName `<module>_<name>`, unique in the program
 * @property {ts.FunctionDeclaration | ts.VariableDeclaration} node
 */

/** One parsed module. */
export class SourceModule {
  /** @type {Map<string, Declaration>} */
  declarations = new Map();
  /** @type {Map<string, { module: string, name: string }>} local name to what is imported under it */
  imports = new Map();
  /** @type {Map<string, string>} local name to the module that is imported whole under it */
  namespaces = new Map();

  /**
   * @param {string} folder
   * @param {string} name without `.ts`
   */
  constructor(folder, name) {
    this.name = name;
    const path = join(folder, `${name}.ts`);
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true);
    for (const statement of file.statements) this.#read(statement);
  }

  /** @param {ts.Statement} statement */
  #read(statement) {
    if (ts.isImportDeclaration(statement)) return this.#readImport(statement);
    if (ts.isFunctionDeclaration(statement)) return this.#declare('function', statement);
    if (ts.isVariableStatement(statement)) {
      const kind = statement.declarationList.flags & ts.NodeFlags.Const ? 'constant' : 'variable';
      for (const node of statement.declarationList.declarations) this.#declare(kind, node);
    }
    if (ts.isExportDeclaration(statement)) this.#readExport(statement);
    // Anything else is met only where it is used, and refused there.
  }

  /** @param {ts.ImportDeclaration} statement */
  #readImport(statement) {
    const { moduleSpecifier, importClause } = statement;
    const bindings = importClause?.namedBindings;
    if (!ts.isStringLiteral(moduleSpecifier) || !bindings) {
      throw new TranslationError(statement, 'imports name what they import, or a module as a whole');
    }
    const module = moduleNameOf(moduleSpecifier.text);
    if (ts.isNamespaceImport(bindings)) {
      this.namespaces.set(bindings.name.text, module);
      return;
    }
    for (const element of bindings.elements) {
      const name = (element.propertyName ?? element.name).text;
      this.imports.set(element.name.text, { module, name });
    }
  }

  /** What a module hands on is found like what it imports. @param {ts.ExportDeclaration} statement */
  #readExport({ moduleSpecifier, exportClause }) {
    if (!moduleSpecifier || !exportClause || !ts.isStringLiteral(moduleSpecifier) || !ts.isNamedExports(exportClause))
      return;
    const module = moduleNameOf(moduleSpecifier.text);
    for (const element of exportClause.elements) {
      this.imports.set(element.name.text, { module, name: (element.propertyName ?? element.name).text });
    }
  }

  /**
   * @param {Declaration['kind']} kind
   * @param {ts.FunctionDeclaration | ts.VariableDeclaration} node
   */
  #declare(kind, node) {
    if (!node.name || !ts.isIdentifier(node.name)) throw new TranslationError(node, 'a declaration needs a plain name');
    const name = node.name.text;
    this.declarations.set(name, { kind, module: this.name, name, wgslName: wgslNameOf(this.name, name), node });
  }
}

/**
 * @param {string} module
 * @param {string} name
 * @returns {string} the name in WGSL
 */
export function wgslNameOf(module, name) {
  return `${module.replaceAll('-', '_')}_${name}`;
}

/** @param {string} specifier */
const moduleNameOf = (specifier) => specifier.replace(/^\.\//, '').replace(/\.ts$/, '');
