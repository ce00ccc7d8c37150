/** One function: its statements, as WGSL. */
import ts from 'typescript';
import { Expressions } from './expressions.js';
import { TranslationError } from './source.js';
import { coerce, condition, isInteger, typeOf, WGSL_TYPES } from './values.js';

/** @typedef {import('./values.js').ValueType} ValueType */

const COMPOUND = new Map([
  [ts.SyntaxKind.PlusEqualsToken, '+'],
  [ts.SyntaxKind.MinusEqualsToken, '-'],
  [ts.SyntaxKind.AsteriskEqualsToken, '*'],
  [ts.SyntaxKind.SlashEqualsToken, '/'],
  [ts.SyntaxKind.PercentEqualsToken, '%'],
  [ts.SyntaxKind.AmpersandEqualsToken, '&'],
  [ts.SyntaxKind.BarEqualsToken, '|'],
  [ts.SyntaxKind.CaretEqualsToken, '^'],
  [ts.SyntaxKind.LessThanLessThanEqualsToken, '<<'],
  [ts.SyntaxKind.GreaterThanGreaterThanEqualsToken, '>>'],
]);

/**
 * @param {ts.FunctionDeclaration} node
 * @param {string} wgslName
 * @param {import('./program.js').Scope} scope
 * @returns {string} the function's WGSL
 */
export function translateFunction(node, wgslName, scope) {
  return new FunctionTranslator(node, scope).translate(wgslName);
}

class FunctionTranslator {
  #node;
  #scope;
  #expressions;
  /** @type {ValueType} */
  #result;

  /**
   * @param {ts.FunctionDeclaration} node
   * @param {import('./program.js').Scope} scope
   */
  constructor(node, scope) {
    this.#node = node;
    this.#scope = scope;
    this.#expressions = new Expressions(scope);
    this.#result = typeOf(node.type, node);
    if (!node.body || node.typeParameters || node.asteriskToken)
      throw new TranslationError(node, 'a plain function is needed');
  }

  /** @param {string} wgslName */
  translate(wgslName) {
    const assigned = assignedNames(this.#node);
    /** @type {string[]} */
    const copies = [];
    this.#scope.enter();
    const parameters = this.#node.parameters.map((parameter) => {
      if (
        !ts.isIdentifier(parameter.name) ||
        parameter.questionToken ||
        parameter.initializer ||
        parameter.dotDotDotToken
      ) {
        throw new TranslationError(parameter, 'parameters are plain: no defaults, no options');
      }
      const type = typeOf(parameter.type, parameter);
      const local = this.#scope.declare(parameter.name, type);
      if (!assigned.has(parameter.name.text)) return `${local}: ${WGSL_TYPES[type]}`;
      copies.push(`var ${local} = ${local}in;`);
      return `${local}in: ${WGSL_TYPES[type]}`;
    });
    const body = [
      ...copies,
      .../** @type {ts.Block} */ (this.#node.body).statements.flatMap((s) => this.#statement(s)),
    ];
    this.#scope.leave();
    const result = this.#result === 'void' ? '' : ` -> ${WGSL_TYPES[this.#result]}`;
    return `fn ${wgslName}(${parameters.join(', ')})${result} {\n${indent(body)}\n}`;
  }

  /** @param {ts.Statement} node @returns {string[]} */
  #statement(node) {
    if (ts.isBlock(node)) return ['{', ...this.#block(node), '}'];
    if (ts.isVariableStatement(node)) return node.declarationList.declarations.flatMap((d) => this.#declaration(d));
    if (ts.isExpressionStatement(node)) return this.#effect(node.expression);
    if (ts.isIfStatement(node)) return this.#if(node);
    if (ts.isReturnStatement(node)) return this.#return(node);
    if (ts.isWhileStatement(node)) return this.#loop(node.expression, node.statement, []);
    if (ts.isForStatement(node)) return this.#for(node);
    if (ts.isDoStatement(node)) return this.#do(node);
    if (ts.isBreakStatement(node) && !node.label) return ['break;'];
    if (ts.isContinueStatement(node) && !node.label) return ['continue;'];
    if (ts.isEmptyStatement(node)) return [];
    throw new TranslationError(node, `${ts.SyntaxKind[node.kind]} is not part of the subset`);
  }

  /** Lines of a statement that stands for itself, in a scope of its own. @param {ts.Statement} node */
  #block(node) {
    this.#scope.enter();
    const lines = ts.isBlock(node) ? node.statements.flatMap((s) => this.#statement(s)) : this.#statement(node);
    this.#scope.leave();
    return lines;
  }

  /**
   * @template T
   * @param {(expressions: Expressions) => T} translate
   * @returns {{ before: string[], result: T }}
   */
  #with(translate) {
    this.#expressions.begin();
    const result = translate(this.#expressions);
    return { before: this.#expressions.lifted, result };
  }

  /** @param {ts.VariableDeclaration} node */
  #declaration(node) {
    if (!ts.isIdentifier(node.name)) throw new TranslationError(node, 'a variable needs a plain name');
    const declared = node.type ? typeOf(node.type, node) : undefined;
    if (!node.initializer) {
      if (!declared) throw new TranslationError(node, 'a variable without a value needs a type');
      return [`var ${this.#scope.declare(node.name, declared)}: ${WGSL_TYPES[declared]};`];
    }
    const { initializer } = node;
    const { before, result } = this.#with((e) => e.value(initializer, declared));
    const type = declared ?? result.type;
    const code = coerce(result, type, node);
    return [...before, `var ${this.#scope.declare(node.name, type)}: ${WGSL_TYPES[type]} = ${code};`];
  }

  /** An expression that stands alone: assignment, increment or call. @param {ts.Expression} node @returns {string[]} */
  #effect(node) {
    if (ts.isPostfixUnaryExpression(node) || (ts.isPrefixUnaryExpression(node) && isStep(node.operator))) {
      const { code, type } = this.#target(node.operand);
      if (!isInteger(type)) throw new TranslationError(node, 'only integers are counted');
      return [`${code} ${node.operator === ts.SyntaxKind.PlusPlusToken ? '+' : '-'}= 1${type === 'u32' ? 'u' : 'i'};`];
    }
    if (ts.isBinaryExpression(node)) {
      const kind = node.operatorToken.kind;
      if (kind === ts.SyntaxKind.CommaToken) return [...this.#effect(node.left), ...this.#effect(node.right)];
      if (kind === ts.SyntaxKind.EqualsToken) {
        const target = this.#target(node.left);
        const { before, result } = this.#with((e) => e.coerced(node.right, target.type));
        return [...before, `${target.code} = ${result};`];
      }
      const operator = COMPOUND.get(kind);
      if (operator) return this.#compound(node, operator);
      if (kind === ts.SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken) return this.#compound(node, '>>>');
    }
    if (ts.isCallExpression(node)) {
      const { before, result } = this.#with((e) => e.value(node));
      return [...before, `${result.type === 'void' ? '' : '_ = '}${result.code};`];
    }
    throw new TranslationError(node, 'a statement is an assignment, a step or a call');
  }

  /** @param {ts.BinaryExpression} node @param {string} operator */
  #compound(node, operator) {
    const { code, type } = this.#target(node.left);
    const isShift = operator.includes('<') || operator.includes('>');
    if (type === 'bool' ? operator !== '&' && operator !== '|' : !(type === 'f32' || isInteger(type))) {
      throw new TranslationError(node, `operator ${operator}= is not part of the subset for ${type}`);
    }
    const { before, result } = this.#with((e) => e.coerced(node.right, isShift ? 'u32' : type));
    if (operator !== '>>>') return [...before, `${code} = ${code} ${operator} ${result};`];
    return [...before, `${code} = ${type}(u32(${code}) >> ${result});`];
  }

  /** @param {ts.Expression} node */
  #target(node) {
    if (!ts.isIdentifier(node)) throw new TranslationError(node, 'only variables are assigned');
    return this.#scope.variable(node);
  }

  /** @param {ts.IfStatement} node */
  #if(node) {
    const { before, result } = this.#with((e) => e.condition(node.expression));
    const lines = [...before, `if (${result}) {`, ...this.#block(node.thenStatement)];
    if (node.elseStatement) lines.push('} else {', ...this.#block(node.elseStatement));
    return [...lines, '}'];
  }

  /** @param {ts.ReturnStatement} node */
  #return({ expression }) {
    if (!expression) return ['return;'];
    const { before, result } = this.#with((e) => e.coerced(expression, this.#result));
    return [...before, `return ${result};`];
  }

  /**
   * @param {ts.Expression | undefined} test
   * @param {ts.Statement} body
   * @param {string[]} step
   */
  #loop(test, body, step) {
    const lines = ['loop {'];
    if (test && test.kind !== ts.SyntaxKind.TrueKeyword) {
      const { before, result } = this.#with((e) => e.condition(test));
      lines.push(...before, `if (!(${result})) { break; }`);
    }
    // A block of its own: what the body declares is not seen by the step.
    lines.push('{', ...this.#block(body), '}');
    if (step.length > 0) lines.push('continuing {', ...step, '}');
    return [...lines, '}'];
  }

  /** @param {ts.ForStatement} node */
  #for(node) {
    this.#scope.enter();
    const { initializer, condition: test, incrementor, statement } = node;
    const lines = ['{'];
    if (initializer && ts.isVariableDeclarationList(initializer)) {
      lines.push(...initializer.declarations.flatMap((d) => this.#declaration(d)));
    } else if (initializer) {
      lines.push(...this.#effect(initializer));
    }
    lines.push(...this.#loop(test, statement, incrementor ? this.#effect(incrementor) : []), '}');
    this.#scope.leave();
    return lines;
  }

  /** @param {ts.DoStatement} node */
  #do(node) {
    const body = this.#block(node.statement);
    const { before, result } = this.#with((e) => condition(e.value(node.expression), node));
    return ['loop {', '{', ...body, '}', 'continuing {', ...before, `break if !(${result});`, '}', '}'];
  }
}

/** @param {ts.SyntaxKind} operator */
const isStep = (operator) => operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;

/**
 * Every name that a function assigns, whatever it is bound to.
 * @param {ts.Node} node
 * @returns {Set<string>}
 */
export function assignedNames(node) {
  const names = new Set();
  const visit = (/** @type {ts.Node} */ child) => {
    if (ts.isBinaryExpression(child) && ts.isAssignmentOperator(child.operatorToken.kind))
      names.add(child.left.getText());
    if (ts.isPostfixUnaryExpression(child)) names.add(child.operand.getText());
    if (ts.isPrefixUnaryExpression(child) && isStep(child.operator)) names.add(child.operand.getText());
    ts.forEachChild(child, visit);
  };
  visit(node);
  return names;
}

/** @param {string[]} lines */
function indent(lines) {
  let depth = 1;
  return lines
    .map((line) => {
      if (line.startsWith('}')) depth--;
      const text = '  '.repeat(depth) + line;
      if (line.endsWith('{')) depth++;
      return text;
    })
    .join('\n');
}
