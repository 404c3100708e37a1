import { MillraceError } from '../../base/errors.ts';
import type { ConnectValue } from '../../connect/data.ts';
import type { ConnectRecord } from '../../connect/record.ts';
import { isArray, isMap } from '../../connect/schema.ts';
import { valueText } from '../../connect/values.ts';
import { findMethod, methodNames } from './methods.ts';
import { bindings, compare, equals, evaluationFault, isNumeric, kindOf, memberOf, plainNumber } from './scope.ts';
import { tokenize, unsupported } from './tokens.ts';
import type { Language, Token } from './tokens.ts';

/** A compiled expression. @throws TRANSFORMATION_FAILED */
export type Expression = (record: ConnectRecord) => ConnectValue;

/**
 * Compiles a small expression over a record: a subset of JavaScript, which has nothing but the record's parts, operators
 * without effects, and a list of methods. No code of it reaches the engine. `docs/transformations.md` has the list.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming what is wrong and where
 */
export function compileExpression(text: string, language: Language): Expression {
  return new Parser(text, language).whole();
}

const levels: readonly (readonly string[])[] = [
  ['??', '?:'],
  ['||'],
  ['&&'],
  ['==', '!=', '===', '!=='],
  ['<', '<=', '>', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];
const words = new Map<string, ConnectValue>([
  ['null', null],
  ['undefined', null],
  ['true', true],
  ['false', false],
]);
const maxDepth = 100;

class Parser {
  readonly #text: string;
  readonly #language: Language;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string, language: Language) {
    this.#text = text;
    this.#language = language;
    this.#tokens = tokenize(text, language);
  }

  whole(): Expression {
    const expression = this.#ternary();
    const next = this.#peek();
    if (next.kind !== 'end') throw this.#refuse(next);
    return expression;
  }

  #ternary(): Expression {
    if (++this.#depth > maxDepth) throw unsupported(this.#text, this.#peek().at, `more than ${maxDepth} levels`);
    const condition = this.#binary(0);
    let result = condition;
    if (this.#take('?')) {
      const yes = this.#ternary();
      this.#expect(':');
      const no = this.#ternary();
      const truth = this.#truth();
      result = (record) => (truth(condition(record)) ? yes(record) : no(record));
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): Expression {
    const signs = levels[level];
    if (signs === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { text, kind } = this.#peek();
      if ((kind !== 'sign' && text !== 'in') || !signs.includes(text) || kind === 'text') return left;
      this.#checkSign(text);
      this.#at++;
      left = this.#joined(text, left, this.#binary(level + 1));
    }
  }

  /** What means something else, or nothing, in the other language. */
  #checkSign(sign: string): void {
    const groovy = this.#language === 'groovy';
    const foreign = groovy ? ['===', '!==', '??'] : ['?:', 'in'];
    if (foreign.includes(sign)) throw unsupported(this.#text, this.#peek().at, `${sign} in ${groovy ? 'Groovy' : 'JavaScript'}`);
  }

  #joined(sign: string, left: Expression, right: Expression): Expression {
    const truth = this.#truth();
    const groovy = this.#language === 'groovy';
    switch (sign) {
      case '??':
        return (record) => left(record) ?? right(record);
      case '?:':
        return (record) => {
          const value = left(record);
          return truth(value) ? value : right(record);
        };
      case '||':
        return (record) => {
          const value = left(record);
          if (groovy) return truth(value) || truth(right(record));
          return truth(value) ? value : right(record);
        };
      case '&&':
        return (record) => {
          const value = left(record);
          if (groovy) return truth(value) && truth(right(record));
          return truth(value) ? right(record) : value;
        };
      case '==':
      case '===':
        return (record) => equals(left(record), right(record));
      case '!=':
      case '!==':
        return (record) => !equals(left(record), right(record));
      case '<':
        return (record) => compare(left(record), right(record)) < 0;
      case '<=':
        return (record) => compare(left(record), right(record)) <= 0;
      case '>':
        return (record) => compare(left(record), right(record)) > 0;
      case '>=':
        return (record) => compare(left(record), right(record)) >= 0;
      case 'in':
        return (record) => {
          const [item, list] = [left(record), right(record)];
          if (isArray(list)) return list.some((each) => equals(each, item));
          throw evaluationFault(`in takes a list, not ${kindOf(list)}`);
        };
      default:
        return (record) => arithmetic(sign, left(record), right(record));
    }
  }

  #unary(): Expression {
    if (++this.#depth > maxDepth) throw unsupported(this.#text, this.#peek().at, `more than ${maxDepth} levels`);
    let result: Expression;
    if (this.#take('!')) {
      const inner = this.#unary();
      const truth = this.#truth();
      result = (record) => !truth(inner(record));
    } else if (this.#take('-')) {
      const inner = this.#unary();
      result = (record) => arithmetic('-', 0, inner(record));
    } else {
      result = this.#members();
    }
    this.#depth--;
    return result;
  }

  #members(): Expression {
    const start = this.#peek().at;
    let owner = this.#primary();
    for (;;) {
      const from = owner;
      const what = this.#text.slice(start, this.#peek().at).trim();
      if (this.#take('.')) owner = this.#member(from, what, false);
      else if (this.#take('?.')) owner = this.#member(from, what, true);
      else if (this.#take('[')) {
        const name = this.#ternary();
        this.#expect(']');
        owner = (record) => memberOf(from(record), name(record), what);
      } else return owner;
    }
  }

  #member(owner: Expression, what: string, nullSafe: boolean): Expression {
    const token = this.#next();
    if (token.kind !== 'name') throw this.#refuse(token);
    const name = token.text;
    if (!this.#take('(')) {
      return (record) => {
        const value = owner(record);
        return value === null && nullSafe ? null : memberOf(value, name, what);
      };
    }
    const given = this.#list(')');
    const method = findMethod(name, given.length);
    if (method === undefined) {
      throw unsupported(this.#text, token.at, `a method ${name} of ${given.length} arguments; the methods are ${methodNames.join(', ')}`);
    }
    return (record) => {
      const value = owner(record);
      if (value === null) {
        if (nullSafe) return null;
        throw evaluationFault(`${what} is null and has no ${name}()`);
      }
      const result = method.call(
        value,
        given.map((each) => each(record)),
      );
      if (result === undefined) throw evaluationFault(`${what} is ${kindOf(value)} and has no ${name}()`);
      return result;
    };
  }

  #primary(): Expression {
    const token = this.#next();
    if (token.kind === 'text') return () => token.text;
    if (token.kind === 'number') {
      const number = Number(token.text);
      const value = Number.isSafeInteger(number) || !/^\d+$/.test(token.text) ? number : BigInt(token.text);
      return () => value;
    }
    if (token.kind === 'name') return this.#name(token);
    if (token.text === '(') {
      const inner = this.#ternary();
      this.#expect(')');
      return inner;
    }
    if (token.text === '[') {
      const items = this.#list(']');
      return (record) => items.map((item) => item(record));
    }
    if (token.text === '/') throw unsupported(this.#text, token.at, "regular expressions; use .matches('…')");
    throw this.#refuse(token);
  }

  #name(token: Token): Expression {
    const known = words.get(token.text);
    if (known !== undefined) return () => known;
    const binding = Object.hasOwn(bindings, token.text) ? bindings[token.text] : undefined;
    if (binding !== undefined) return binding;
    throw unsupported(this.#text, token.at, `the name ${token.text}; the names are ${Object.keys(bindings).join(', ')}`);
  }

  #list(end: string): Expression[] {
    const items: Expression[] = [];
    if (this.#take(end)) return items;
    do items.push(this.#ternary());
    while (this.#take(','));
    this.#expect(end);
    return items;
  }

  #truth(): (value: ConnectValue) => boolean {
    const groovy = this.#language === 'groovy';
    return (value) => {
      if (value === null || value === false || value === '') return false;
      if (isNumeric(value)) {
        const number = plainNumber(value);
        return number !== 0 && number !== 0n && !Number.isNaN(number);
      }
      return groovy ? !((isArray(value) && value.length === 0) || (isMap(value) && value.size === 0)) : true;
    };
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', at: this.#text.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #take(sign: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'sign' || text !== sign) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    const next = this.#peek();
    if (!this.#take(sign)) throw this.#refuse(next, `${sign} is due`);
  }

  #refuse(token: Token, what = ''): MillraceError {
    const found = token.kind === 'end' ? 'the expression ends there' : `${token.text} stands there`;
    if (token.kind === 'sign' && ['=', '=>', '->', ';', '{', '++', '--', '==~', '=~', '...', '**', '&', '|', '^'].includes(token.text)) {
      return unsupported(this.#text, token.at, token.text);
    }
    const reason = what === '' ? found : `${what}, and ${found}`;
    return new MillraceError('CONFIG_INVALID', `at character ${token.at + 1}: ${reason}`, { context: { expression: this.#text } });
  }
}

function arithmetic(sign: string, left: ConnectValue, right: ConnectValue): ConnectValue {
  if (sign === '+' && (typeof left === 'string' || typeof right === 'string')) return plainText(left) + plainText(right);
  if (!isNumeric(left) || !isNumeric(right)) throw evaluationFault(`${sign} takes numbers, not ${kindOf(isNumeric(left) ? right : left)}`);
  const [a, b] = [plainNumber(left), plainNumber(right)];
  const whole = wholeNumbers(a, b);
  // whole numbers of 64 bits keep all their digits
  if (whole !== undefined && sign !== '/') {
    const [x, y] = whole;
    if (sign === '+') return x + y;
    if (sign === '-') return x - y;
    if (sign === '*') return x * y;
    if (y !== 0n) return x % y;
  }
  const [x, y] = [Number(a), Number(b)];
  return sign === '+' ? x + y : sign === '-' ? x - y : sign === '*' ? x * y : sign === '/' ? x / y : x % y;
}

function wholeNumbers(a: number | bigint, b: number | bigint): readonly [bigint, bigint] | undefined {
  if (typeof a === 'number' && typeof b === 'number') return undefined;
  const [x, y] = [
    typeof a === 'bigint' || Number.isInteger(a) ? BigInt(a) : undefined,
    typeof b === 'bigint' || Number.isInteger(b) ? BigInt(b) : undefined,
  ];
  return x === undefined || y === undefined ? undefined : [x, y];
}

function plainText(value: ConnectValue): string {
  if (typeof value === 'number' && Number.isInteger(value)) return String(value);
  return valueText(null, value);
}
