import { unknownForm } from '../snowflake-error.ts';
import type { Name, Query } from './ast.ts';
import { syntaxError, type Token, tokenize } from './tokenize.ts';

/** Words that are no names unless quoted. Source: Snowflake's list of reserved keywords. */
const reserved = new Set(
  `ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME
   CURRENT_TIMESTAMP CURRENT_USER DELETE DISTINCT DROP ELSE EXISTS FALSE FOLLOWING FOR FROM FULL GRANT GROUP HAVING ILIKE IN
   INCREMENT INNER INSERT INTERSECT INTO IS JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR
   ORDER QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER TRUE
   TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW WHEN WHENEVER WHERE WITH`.split(/\s+/),
);

export interface Folding {
  /** QUOTED_IDENTIFIERS_IGNORE_CASE. */
  readonly quotedIgnoreCase: boolean;
}

/** Reads tokens one by one; its methods take what they name, or say what stands there instead. */
export class TokenReader {
  readonly sql: string;
  readonly folding: Folding;
  readonly #tokens: readonly Token[];
  readonly #readQuery: (reader: TokenReader) => Query;
  #at = 0;
  #binds = 0;

  /** Expressions hold queries and queries hold expressions: `readQuery` is where the circle is closed. */
  constructor(sql: string, folding: Folding, readQuery: (reader: TokenReader) => Query) {
    this.sql = sql;
    this.folding = folding;
    this.#readQuery = readQuery;
    this.#tokens = tokenize(sql);
  }

  query(): Query {
    return this.#readQuery(this);
  }

  /** A reader of another text, by the same rules. */
  of(sql: string): TokenReader {
    return new TokenReader(sql, this.folding, this.#readQuery);
  }

  /** The number of the next `?`. */
  nextBind(): number {
    this.#binds += 1;
    return this.#binds;
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    const token = this.#tokens[Math.min(this.#at + ahead, last)];
    if (token === undefined) throw new Error('a statement without an end');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** Goes back to a place that `position` gave. */
  rewind(position: number): void {
    this.#at = position;
  }

  get position(): number {
    return this.#at;
  }

  fail(): Error {
    const token = this.peek();
    return syntaxError(this.sql, token.start, token.text);
  }

  isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && token.text.toUpperCase() === word;
  }

  isWords(...words: readonly string[]): boolean {
    return words.every((word, index) => this.isWord(word, index));
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  }

  /** Takes the words if all of them are next. */
  acceptWords(...words: readonly string[]): boolean {
    if (!this.isWords(...words)) return false;
    this.#at += words.length;
    return true;
  }

  acceptOne<T extends string>(...words: readonly T[]): T | undefined {
    return words.find((word) => this.acceptWords(word));
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.#at += 1;
    return true;
  }

  expectWords(...words: readonly string[]): void {
    for (const word of words) if (!this.acceptWords(word)) throw this.fail();
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.fail();
  }

  isEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** After the last part of a statement; a semicolon may stand there. */
  expectEnd(): void {
    this.acceptSymbol(';');
    if (!this.isEnd()) throw this.fail();
  }

  isIdentifier(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'quoted' || (token.kind === 'word' && !reserved.has(token.text.toUpperCase()));
  }

  /** Unquoted names are upper case, quoted ones as written. */
  identifier(): string {
    if (!this.isIdentifier()) throw this.fail();
    return this.fold(this.next());
  }

  fold(token: Token): string {
    const keeps = token.kind === 'quoted' && !this.folding.quotedIgnoreCase;
    return keeps ? token.text : token.text.toUpperCase();
  }

  name(): Name {
    if (this.isWords('IDENTIFIER') && this.isSymbol('(', 1)) throw unknownForm('IDENTIFIER(…)');
    const parts = [this.identifier()];
    while (parts.length < 3 && this.isSymbol('.') && this.isIdentifier(1)) {
      this.next();
      parts.push(this.identifier());
    }
    return parts;
  }

  /** `(a, b, …)` */
  nameList(): readonly string[] {
    return this.parenthesized(() => this.identifier());
  }

  parenthesized<T>(item: () => T): readonly T[] {
    this.expectSymbol('(');
    const items = this.list(item);
    this.expectSymbol(')');
    return items;
  }

  list<T>(item: () => T): readonly T[] {
    const items = [item()];
    while (this.acceptSymbol(',')) items.push(item());
    return items;
  }

  string(): string {
    if (this.peek().kind !== 'string') throw this.fail();
    return this.next().text;
  }

  integer(): number {
    const token = this.peek();
    if (token.kind !== 'number' || !/^\d+$/.test(token.text)) throw this.fail();
    this.next();
    return Number(token.text);
  }

  /** The rest of the statement as it was written. */
  restText(): string {
    return this.sql.slice(this.peek().start).replace(/;\s*$/, '').trim();
  }
}
