/**
 * Expressions of one function. WGSL has no conditional expression that evaluates one side only: where a side calls a
 * function or reads memory, the choice becomes an `if` before the statement (a "lifted" choice).
 */
import ts from 'typescript';
import { BUILTINS } from './builtins.js';
import { TranslationError } from './source.js';
import { coerce, condition, convert, isInteger, literal, typeOf, unbounded, WGSL_TYPES } from './values.js';

/** @typedef {import('./values.js').Value} Value */
/** @typedef {import('./values.js').ValueType} ValueType */

const ARITHMETIC = new Map([
  [ts.SyntaxKind.PlusToken, '+'],
  [ts.SyntaxKind.MinusToken, '-'],
  [ts.SyntaxKind.AsteriskToken, '*'],
  [ts.SyntaxKind.SlashToken, '/'],
  [ts.SyntaxKind.PercentToken, '%'],
  [ts.SyntaxKind.AmpersandToken, '&'],
  [ts.SyntaxKind.BarToken, '|'],
  [ts.SyntaxKind.CaretToken, '^'],
]);
const BITWISE = '&|^';
const SHIFTS = new Map([
  [ts.SyntaxKind.LessThanLessThanToken, '<<'],
  [ts.SyntaxKind.GreaterThanGreaterThanToken, '>>'],
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken, '>>>'],
]);
const COMPARISONS = new Map([
  [ts.SyntaxKind.EqualsEqualsToken, '=='],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '=='],
  [ts.SyntaxKind.ExclamationEqualsToken, '!='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '!='],
  [ts.SyntaxKind.LessThanToken, '<'],
  [ts.SyntaxKind.LessThanEqualsToken, '<='],
  [ts.SyntaxKind.GreaterThanToken, '>'],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>='],
]);
const LOGIC = new Map([
  [ts.SyntaxKind.AmpersandAmpersandToken, '&&'],
  [ts.SyntaxKind.BarBarToken, '||'],
]);

/** Translates expressions; `lifted` collects the lines that must stand before the statement. */
export class Expressions {
  /** @type {string[]} */
  lifted = [];
  #temporaries = 0;
  /** What the code that stays inside the statement has done so far, in order of evaluation. */
  #inline = { writes: false, reads: false };
  /** Calls and loads met, which decides whether a choice may evaluate both sides. */
  #costs = 0;

  /**
   * @param {import('./program.js').Scope} scope names of the function and the program
   */
  constructor(scope) {
    this.scope = scope;
  }

  /** Starts a statement; its lines before are taken with `take`. */
  begin() {
    this.lifted = [];
    this.#inline = { writes: false, reads: false };
  }

  /** @param {ts.Expression} node @param {ValueType} type */
  coerced(node, type) {
    return coerce(this.value(node, type), type, node);
  }

  /** @param {ts.Expression} node */
  condition(node) {
    return condition(this.value(node), node);
  }

  /**
   * @param {ts.Expression} node
   * @param {ValueType} [wanted] what the context asks for; decides the type of literals only
   * @returns {Value}
   */
  value(node, wanted) {
    if (ts.isParenthesizedExpression(node)) {
      const { code, type } = this.value(node.expression, wanted);
      return { code: code.startsWith('(') && closesAtEnd(code) ? code : `(${code})`, type };
    }
    if (ts.isNumericLiteral(node)) return literal(node, wanted);
    if (node.kind === ts.SyntaxKind.TrueKeyword) return { code: 'true', type: 'bool' };
    if (node.kind === ts.SyntaxKind.FalseKeyword) return { code: 'false', type: 'bool' };
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) return this.#name(node);
    if (ts.isTypeAssertionExpression(node) || ts.isAsExpression(node)) {
      const type = typeOf(node.type, node);
      return { code: convert(this.value(node.expression, type), type, node), type };
    }
    if (ts.isPrefixUnaryExpression(node)) return this.#prefix(node, wanted);
    if (ts.isBinaryExpression(node)) return this.#binary(node, wanted);
    if (ts.isConditionalExpression(node)) return this.#choice(node, wanted);
    if (ts.isCallExpression(node)) return this.#call(node);
    throw new TranslationError(node, `${ts.SyntaxKind[node.kind]} is not part of the subset`);
  }

  /** @param {ts.Expression} node @returns {Value} */
  #name(node) {
    if (node.getText() === 'Infinity') return unbounded();
    const { code, type, isModuleVariable } = this.scope.variable(node);
    if (isModuleVariable) this.#inline = { ...this.#inline, reads: true };
    return { code, type };
  }

  /** @param {ts.PrefixUnaryExpression} node @param {ValueType | undefined} wanted @returns {Value} */
  #prefix(node, wanted) {
    const { operator, operand } = node;
    if (operator === ts.SyntaxKind.ExclamationToken) return { code: `!(${this.condition(operand)})`, type: 'bool' };
    if (operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(operand)) return literal(operand, wanted, true);
    const { code, type } = this.value(operand, wanted);
    if (operator === ts.SyntaxKind.PlusToken && (type === 'f32' || isInteger(type))) return { code, type };
    if (operator === ts.SyntaxKind.MinusToken && (type === 'f32' || type === 'i32'))
      return { code: `(-${code})`, type };
    if (operator === ts.SyntaxKind.MinusToken && type === 'u32') return { code: `(0u - ${code})`, type };
    if (operator === ts.SyntaxKind.TildeToken && isInteger(type)) return { code: `(~${code})`, type };
    throw new TranslationError(node, `this operator is not part of the subset for ${type}`);
  }

  /** @param {ts.BinaryExpression} node @param {ValueType | undefined} wanted @returns {Value} */
  #binary(node, wanted) {
    const kind = node.operatorToken.kind;
    const logic = LOGIC.get(kind);
    if (logic) return this.#logic(node, logic);
    const comparison = COMPARISONS.get(kind);
    const left = this.value(node.left, comparison ? undefined : wanted);
    const shift = SHIFTS.get(kind);
    if (shift) return this.#shift(node, left, shift);
    const right = this.value(node.right, left.type);
    const operator = comparison ?? ARITHMETIC.get(kind);
    if (!operator)
      throw new TranslationError(node, `operator ${node.operatorToken.getText()} is not part of the subset`);
    if (
      comparison &&
      isInteger(left.type) &&
      isInteger(right.type) &&
      left.type !== right.type &&
      !'!==='.includes(operator)
    ) {
      throw new TranslationError(node, `${left.type} is compared with ${right.type}; convert one of them`);
    }
    const isLogical = left.type === 'bool' && right.type === 'bool';
    const type = isInteger(right.type) && left.type === 'bool' ? right.type : left.type;
    if (!comparison && (type === 'v128' || (BITWISE.includes(operator) ? type === 'f32' : isLogical))) {
      throw new TranslationError(node, `operator ${operator} is not part of the subset for ${type}`);
    }
    const code = `(${coerce(left, type, node)} ${operator} ${coerce(right, type, node)})`;
    return { code, type: comparison ? 'bool' : type };
  }

  /** @param {ts.BinaryExpression} node @param {Value} left @param {string} shift @returns {Value} */
  #shift(node, left, shift) {
    if (!isInteger(left.type)) throw new TranslationError(node, 'only integers are shifted');
    const by = this.coerced(node.right, 'u32');
    if (shift !== '>>>') return { code: `(${left.code} ${shift} ${by})`, type: left.type };
    const code = `(u32(${left.code}) >> ${by})`;
    return { code: left.type === 'u32' ? code : `i32${code}`, type: left.type };
  }

  /** @param {ts.BinaryExpression} node @param {string} operator @returns {Value} */
  #logic(node, operator) {
    const before = this.#inline;
    const left = this.condition(node.left);
    const right = this.#apart(() => this.condition(node.right));
    if (right.lines.length === 0) return { code: `(${left} ${operator} ${right.result})`, type: 'bool' };
    const name = this.#lift(node, before, this.#inline);
    this.lifted.push(
      `var ${name}: bool = ${left};`,
      `if (${operator === '&&' ? name : `!${name}`}) {`,
      ...right.lines,
      `${name} = ${right.result};`,
      '}',
    );
    return { code: name, type: 'bool' };
  }

  /** @param {ts.ConditionalExpression} node @param {ValueType | undefined} wanted @returns {Value} */
  #choice(node, wanted) {
    const before = this.#inline;
    const test = this.condition(node.condition);
    const costs = this.#costs;
    /** @type {ValueType} */
    let type = 'void';
    const yes = this.#apart(() => {
      const value = this.value(node.whenTrue, wanted);
      type = value.type;
      return value.code;
    });
    const no = this.#apart(() => this.coerced(node.whenFalse, type));
    if (this.#costs === costs && yes.lines.length + no.lines.length === 0) {
      return { code: `select(${no.result}, ${yes.result}, ${test})`, type };
    }
    const name = this.#lift(node, before, this.#inline);
    this.lifted.push(
      `var ${name}: ${WGSL_TYPES[type]};`,
      `if (${test}) {`,
      ...yes.lines,
      `${name} = ${yes.result};`,
      '} else {',
      ...no.lines,
      `${name} = ${no.result};`,
      '}',
    );
    return { code: name, type };
  }

  /**
   * Translates with lines of its own, which the caller places.
   * @param {() => string} translate
   */
  #apart(translate) {
    const lines = this.lifted;
    this.lifted = [];
    const result = translate();
    const apart = { result, lines: this.lifted };
    this.lifted = lines;
    return apart;
  }

  /**
   * Name of the variable for a part that moves before everything that stays inside the statement. Neither may change what
   * the other sees.
   * @param {ts.Node} node
   * @param {{ writes: boolean, reads: boolean }} before what the statement did before this part
   * @param {{ writes: boolean, reads: boolean }} after the same with this part
   */
  #lift(node, before, after) {
    if (before.writes || (after.writes && before.reads)) {
      throw new TranslationError(
        node,
        'this choice would be evaluated before a call beside it; put it into a variable first',
      );
    }
    this.#inline = before;
    return `choice${this.#temporaries++}`;
  }

  /** @param {ts.CallExpression} node @returns {Value} */
  #call(node) {
    const callee = node.expression.getText();
    const builtin = Object.hasOwn(BUILTINS, callee) ? BUILTINS[callee] : undefined;
    if (builtin) {
      if (callee === 'load' || callee === 'v128.load') this.#costs++;
      return builtin(this.#builtinCall(node));
    }
    const target = this.scope.callee(node.expression);
    if (target.parameters.length !== node.arguments.length) {
      throw new TranslationError(node, `${callee} takes ${target.parameters.length} arguments`);
    }
    const args = node.arguments.map((argument, i) =>
      this.coerced(argument, /** @type {ValueType} */ (target.parameters[i])),
    );
    if (!target.isCheap || target.writes) this.#costs++;
    this.#inline = { writes: this.#inline.writes || target.writes, reads: true };
    return { code: `${target.wgslName}(${args.join(', ')})`, type: target.result };
  }

  /** @param {ts.CallExpression} node @returns {import('./builtins.js').Call} */
  #builtinCall(node) {
    const argument = (/** @type {number} */ i) => {
      const found = node.arguments[i];
      if (!found) throw new TranslationError(node, 'an argument is missing');
      return found;
    };
    return {
      arg: (i, type) => this.coerced(argument(i), type),
      lane: (i) => {
        const found = argument(i);
        if (!ts.isNumericLiteral(found)) throw new TranslationError(found, 'lanes are literals');
        return Number(found.text);
      },
      count: node.arguments.length,
      typeName: node.typeArguments?.[0]?.getText(),
      fail: (reason) => {
        throw new TranslationError(node, reason);
      },
    };
  }
}

/** @param {string} code that starts with a parenthesis; whether that one closes at the very end */
function closesAtEnd(code) {
  let depth = 0;
  for (let i = 0; i < code.length; i++) {
    if (code[i] === '(') depth++;
    if (code[i] === ')' && --depth === 0) return i === code.length - 1;
  }
  return false;
}
