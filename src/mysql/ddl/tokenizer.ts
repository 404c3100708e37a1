/** What changes the meaning of the characters of a statement. */
export interface LexicalRules {
  readonly flavor: 'mysql' | 'mariadb';
  /** sql_mode ANSI_QUOTES: "x" is a name. */
  readonly ansiQuotes: boolean;
  /** sql_mode NO_BACKSLASH_ESCAPES. */
  readonly noBackslashEscapes: boolean;
  /** The server's version as in executable comments: 80403, 110809. Code in a comment of a later version is skipped. */
  readonly versionNumber: number;
}

export interface Token {
  /**
   * word: a keyword or an unquoted name; name: a quoted one; text: a string literal; number: decimal digits and so on;
   * hex, bit: the digits of x'0a' and b'01'; symbol: one character; end: there is nothing more
   */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'hex' | 'bit' | 'symbol' | 'end';
  /** The value: unquoted, escapes resolved. */
  readonly value: string;
  /** Of a word: the upper-case form, to compare with keywords; else empty. */
  readonly keyword: string;
  /** Of a literal: its charset introducer in lower case, without the underscore; `N'…'` is utf8mb3. */
  readonly introducer?: string;
  readonly start: number;
  readonly end: number;
}

const endToken = (at: number): Token => ({ kind: 'end', value: '', keyword: '', start: at, end: at });
const escapes: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r', t: '\t', b: '\b', Z: '\x1a' };
const wordPattern = /[A-Za-z0-9$_\u0080-\u{10ffff}]+/uy;
const numberPattern = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const spacePattern = /\s+/y;

/**
 * Cuts a statement into tokens, one at a time, so that a long statement that does not matter costs nothing. Never
 * throws: what is not closed ends at the end of the text.
 *
 * Comments are passed over; the code in executable ones (they begin with an exclamation mark, MariaDB's own with M!) is
 * read where the server would run it.
 */
export class Tokenizer {
  readonly sql: string;
  readonly rules: LexicalRules;
  #at = 0;
  #inExecutable = false;
  #ahead: Token[] = [];

  constructor(sql: string, rules: LexicalRules) {
    this.sql = sql;
    this.rules = rules;
  }

  /** The token `distance` after the next one, which stays to be read. */
  peek(distance = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#scan());
    return this.#ahead[distance] ?? endToken(this.sql.length);
  }

  next(): Token {
    return this.#ahead.shift() ?? this.#scan();
  }

  #scan(): Token {
    this.#skip();
    const { sql } = this;
    const start = this.#at;
    const char = sql[start];
    if (char === undefined) return endToken(start);
    if (char === "'" || (char === '"' && !this.rules.ansiQuotes)) return this.#text(start, char);
    if (char === '`' || char === '"') return this.#name(start, char);
    const prefixed = this.#prefixedLiteral(start, char);
    if (prefixed !== undefined) return prefixed;
    // In `db.5t` the point separates names.
    if (char === '.' && /[A-Za-z0-9$_`"\u0080-\uffff]/.test(sql[start - 1] ?? '')) {
      return this.#token('symbol', char, { start, end: start + 1 });
    }
    const number = this.#match(numberPattern, start);
    const word = this.#match(wordPattern, start);
    // `1a` is a name, `1e5` a number, and after a point everything is a name: `db.1`
    const afterPoint = start > 0 && sql[start - 1] === '.' && char !== '.';
    if (number !== undefined && (word === undefined || number.length >= word.length) && !afterPoint) {
      return this.#token('number', number, { start, end: start + number.length });
    }
    if (word !== undefined) {
      const introduced = word.startsWith('_') ? this.#introduced(word, start) : undefined;
      return introduced ?? this.#token('word', word, { start, end: start + word.length });
    }
    return this.#token('symbol', char, { start, end: start + char.length });
  }

  #token(kind: Token['kind'], value: string, { start, end }: { readonly start: number; readonly end: number }): Token {
    this.#at = end;
    return { kind, value, keyword: kind === 'word' ? value.toUpperCase() : '', start, end };
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.sql)?.[0];
  }

  /** White space and comments. */
  #skip(): void {
    const { sql } = this;
    for (;;) {
      const space = this.#match(spacePattern, this.#at);
      if (space !== undefined) this.#at += space.length;
      const at = this.#at;
      if (this.#inExecutable && sql.startsWith('*/', at)) {
        this.#inExecutable = false;
        this.#at += 2;
      } else if (sql[at] === '#' || (sql.startsWith('--', at) && (at + 2 >= sql.length || /[\s\0-\x1f]/.test(sql[at + 2] ?? '')))) {
        const end = sql.indexOf('\n', at);
        this.#at = end < 0 ? sql.length : end + 1;
      } else if (sql.startsWith('/*', at)) {
        this.#comment(at);
      } else if (sql[at] === '\0') {
        this.#at++;
      } else {
        return;
      }
    }
  }

  #comment(at: number): void {
    const executable = /\/\*(M?)!(\d{5,6})?/y;
    executable.lastIndex = at;
    const found = executable.exec(this.sql);
    if (found !== null && this.#runs(found[1] === 'M', found[2])) {
      this.#inExecutable = true;
      this.#at = at + found[0].length;
      return;
    }
    this.#at = this.#endOfComment(at + 2, found !== null);
  }

  #runs(mariadbOnly: boolean, version: string | undefined): boolean {
    const { flavor, versionNumber } = this.rules;
    if (mariadbOnly && flavor === 'mysql') return false;
    if (version === undefined) return true;
    const number = Number(version);
    if (number > versionNumber) return false;
    // MariaDB leaves out what is meant for MySQL 5.7 and later.
    return flavor === 'mysql' || mariadbOnly || number < 50700 || number > 99999;
  }

  /** In an executable comment that is not run, other comments may be inside. */
  #endOfComment(from: number, nested: boolean): number {
    const { sql } = this;
    let at = from;
    for (;;) {
      const end = sql.indexOf('*/', at);
      if (end < 0) return sql.length;
      const inner = nested ? sql.indexOf('/*', at) : -1;
      if (inner < 0 || inner > end) return end + 2;
      at = this.#endOfComment(inner + 2, false);
    }
  }

  #text(start: number, quote: string): Token {
    const { value, end } = this.#quoted(start, { quote, backslash: !this.rules.noBackslashEscapes });
    return this.#token('text', value, { start, end });
  }

  #name(start: number, quote: string): Token {
    const { value, end } = this.#quoted(start, { quote, backslash: false });
    return this.#token('name', value, { start, end });
  }

  #quoted(start: number, { quote, backslash }: { readonly quote: string; readonly backslash: boolean }): { value: string; end: number } {
    const { sql } = this;
    const parts: string[] = [];
    let at = start + 1;
    let from = at;
    for (; at < sql.length; at++) {
      const char = sql[at];
      if (char === quote) {
        if (sql[at + 1] !== quote) break;
        parts.push(sql.slice(from, at + 1));
        from = ++at + 1;
      } else if (char === '\\' && backslash) {
        const escaped = sql[at + 1] ?? '';
        // \% and \_ keep their backslash
        parts.push(sql.slice(from, at), escaped === '%' || escaped === '_' ? `\\${escaped}` : (escapes[escaped] ?? escaped));
        from = ++at + 1;
      }
    }
    parts.push(sql.slice(from, at));
    return { value: parts.join(''), end: Math.min(at + 1, sql.length) };
  }

  /** x'0a', b'01', n'text', 0x0a, 0b01. */
  #prefixedLiteral(start: number, char: string): Token | undefined {
    const { sql } = this;
    const prefix = char.toLowerCase();
    if (sql[start + 1] === "'" && (prefix === 'x' || prefix === 'b' || prefix === 'n')) {
      if (prefix === 'n') return { ...this.#text(start + 1, "'"), start, introducer: 'utf8mb3' };
      const { value, end } = this.#quoted(start + 1, { quote: "'", backslash: false });
      return this.#token(prefix === 'x' ? 'hex' : 'bit', value, { start, end });
    }
    if (char !== '0') return undefined;
    const digits = /0(?:x[0-9a-fA-F]+|b[01]+)(?![A-Za-z0-9$_\u0080-\u{10ffff}])/uy;
    const found = this.#match(digits, start);
    if (found === undefined) return undefined;
    return this.#token(found[1] === 'x' ? 'hex' : 'bit', found.slice(2), { start, end: start + found.length });
  }

  /** `_utf8mb4'text'`, `_latin1 x'ff'`: the introducer belongs to the literal after it. */
  #introduced(word: string, start: number): Token | undefined {
    const saved = { at: this.#at, inExecutable: this.#inExecutable };
    this.#at = start + word.length;
    this.#skip();
    const char = this.sql[this.#at];
    const literal =
      char === "'" || (char === '"' && !this.rules.ansiQuotes)
        ? this.#text(this.#at, char)
        : char === undefined
          ? undefined
          : this.#prefixedLiteral(this.#at, char);
    if (literal !== undefined) return { ...literal, start, introducer: word.slice(1).toLowerCase() };
    this.#at = saved.at;
    this.#inExecutable = saved.inExecutable;
    return undefined;
  }
}
