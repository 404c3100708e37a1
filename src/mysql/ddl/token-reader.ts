import type { TableId } from '../../event/table-schema.ts';
import { Tokenizer, type LexicalRules, type Token } from './tokenizer.ts';

/** The statement has no form that is known; caught by `readDdl`. */
export class UnreadableDdl extends Error {
  constructor(expected: string, token: Token) {
    super(`${expected} expected, not ${token.kind === 'end' ? 'the end' : `"${token.value}"`} at ${token.start}`);
  }
}

/** Reads the words that all statements share: keywords, names, groups in parentheses. */
export class TokenReader {
  readonly tokens: Tokenizer;
  readonly defaultDatabase: string;

  constructor(sql: string, { rules, defaultDatabase }: { readonly rules: LexicalRules; readonly defaultDatabase: string }) {
    this.tokens = new Tokenizer(sql, rules);
    this.defaultDatabase = defaultDatabase;
  }

  get mariadb(): boolean {
    return this.tokens.rules.flavor === 'mariadb';
  }

  peek(distance = 0): Token {
    return this.tokens.peek(distance);
  }

  next(): Token {
    return this.tokens.next();
  }

  /** Whether these keywords come next. */
  sees(...keywords: readonly string[]): boolean {
    return keywords.every((keyword, distance) => this.peek(distance).keyword === keyword);
  }

  seesOneOf(...keywords: readonly string[]): boolean {
    const { keyword } = this.peek();
    return keyword !== '' && keywords.includes(keyword);
  }

  /** Passes over these keywords if all of them come next. */
  accept(...keywords: readonly string[]): boolean {
    if (!this.sees(...keywords)) return false;
    for (const _ of keywords) this.next();
    return true;
  }

  acceptOneOf(...keywords: readonly string[]): string | undefined {
    return this.seesOneOf(...keywords) ? this.next().keyword : undefined;
  }

  seesSymbol(symbol: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'symbol' && token.value === symbol;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.seesSymbol(symbol)) return false;
    this.next();
    return true;
  }

  expect(...keywords: readonly string[]): void {
    if (!this.accept(...keywords)) throw new UnreadableDdl(keywords.join(' '), this.peek());
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw new UnreadableDdl(symbol, this.peek());
  }

  /** Whether the statement, or this one of several, is over. */
  atEnd(): boolean {
    return this.peek().kind === 'end' || this.seesSymbol(';');
  }

  seesName(distance = 0): boolean {
    const { kind } = this.peek(distance);
    return kind === 'word' || kind === 'name';
  }

  name(): string {
    if (!this.seesName()) throw new UnreadableDdl('a name', this.peek());
    return this.next().value;
  }

  tableId(): TableId {
    // `.t` is a table of the default database
    if (this.acceptSymbol('.')) return { database: this.defaultDatabase, table: this.name() };
    const first = this.name();
    if (!this.acceptSymbol('.')) return { database: this.defaultDatabase, table: first };
    return { database: first, table: this.name() };
  }

  tableIds(): TableId[] {
    const tables = [this.tableId()];
    while (this.acceptSymbol(',')) tables.push(this.tableId());
    return tables;
  }

  text(): string {
    if (this.peek().kind !== 'text') throw new UnreadableDdl('a text', this.peek());
    return this.texts().value;
  }

  /** Adjacent string literals are one. */
  texts(): Token {
    const first = this.next();
    let { value, end } = first;
    while (this.peek().kind === 'text' && this.peek().introducer === undefined) {
      const more = this.next();
      value += more.value;
      end = more.end;
    }
    return { ...first, value, end };
  }

  /** A whole number that fits a `number`. */
  integer(): number {
    const token = this.next();
    if (token.kind !== 'number' || !/^\d+$/.test(token.value)) throw new UnreadableDdl('a number', token);
    return Number(token.value);
  }

  ifExists(): boolean {
    return this.accept('IF', 'EXISTS');
  }

  ifNotExists(): boolean {
    return this.accept('IF', 'NOT', 'EXISTS');
  }

  /** Passes over `(…)` with everything inside; gives the text between the parentheses. */
  group(): string {
    this.expectSymbol('(');
    const { start } = this.peek();
    let depth = 1;
    for (;;) {
      const token = this.next();
      if (token.kind === 'end') throw new UnreadableDdl(')', token);
      if (token.kind !== 'symbol') continue;
      if (token.value === '(') depth++;
      if (token.value === ')' && --depth === 0) return this.tokens.sql.slice(start, token.start).trim();
    }
  }

  acceptGroup(): boolean {
    if (!this.seesSymbol('(')) return false;
    this.group();
    return true;
  }

  /** Passes over everything up to the next comma or closing parenthesis that is not inside of parentheses. */
  skipClause(): void {
    while (!this.atEnd() && !this.seesSymbol(',') && !this.seesSymbol(')')) {
      if (!this.acceptGroup()) this.next();
    }
  }

  skipAll(): void {
    while (this.peek().kind !== 'end') this.next();
  }
}
