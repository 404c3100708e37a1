import { compilationError, type SnowflakeError, unknownForm } from '../snowflake-error.ts';

export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol' | 'end';
  /** The name or text without quotes and escapes; a word as it was written. */
  readonly text: string;
  /** Offsets into the statement. */
  readonly start: number;
  readonly end: number;
}

/** The longest first, so that `::` is not two colons. */
const symbols = ['||', '::', '=>', '->', '<=', '>=', '<>', '!='];
const singles = '(),.;:?@%*+-/=<>[]{}~$';
const wordStart = /[A-Za-z_]/;
const wordPart = /[A-Za-z0-9_$]/;
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' };

/** Snowflake's tokens, comments left out. Whatever has no meaning here is refused with its place. */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const next = skipBlank(sql, at);
    if (next !== at) {
      at = next;
      continue;
    }
    const token = readToken(sql, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '<EOF>', start: sql.length, end: sql.length });
  return tokens;
}

function skipBlank(sql: string, at: number): number {
  const char = sql.charAt(at);
  if (/\s/.test(char)) return at + 1;
  if (sql.startsWith('--', at) || sql.startsWith('//', at)) {
    const end = sql.indexOf('\n', at);
    return end < 0 ? sql.length : end + 1;
  }
  if (sql.startsWith('/*', at)) {
    const end = sql.indexOf('*/', at + 2);
    if (end < 0) throw syntaxError(sql, at, '/*');
    return end + 2;
  }
  return at;
}

function readToken(sql: string, start: number): Token {
  const char = sql.charAt(start);
  if (wordStart.test(char)) {
    let end = start + 1;
    while (end < sql.length && wordPart.test(sql.charAt(end))) end += 1;
    return { kind: 'word', text: sql.slice(start, end), start, end };
  }
  if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(sql.charAt(start + 1)))) {
    const text = /^(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/.exec(sql.slice(start))?.[0] ?? char;
    return { kind: 'number', text, start, end: start + text.length };
  }
  if (char === "'") return readString(sql, start);
  if (char === '"') return readQuoted(sql, start);
  if (sql.startsWith('$$', start)) throw unknownForm('a string in $$');
  const symbol = symbols.find((candidate) => sql.startsWith(candidate, start)) ?? (singles.includes(char) ? char : undefined);
  if (symbol === undefined) throw syntaxError(sql, start, char);
  return { kind: 'symbol', text: symbol, start, end: start + symbol.length };
}

function readString(sql: string, start: number): Token {
  let text = '';
  let at = start + 1;
  for (;;) {
    const char = sql.charAt(at);
    if (char === '') throw syntaxError(sql, start, "'");
    if (char === "'") {
      if (sql.charAt(at + 1) !== "'") return { kind: 'string', text, start, end: at + 1 };
      text += "'";
      at += 2;
    } else if (char === '\\') {
      const escape = readEscape(sql, at);
      text += escape.text;
      at = escape.end;
    } else {
      text += char;
      at += 1;
    }
  }
}

/** A backslash within single quotes is an escape; before any other letter it vanishes. */
function readEscape(sql: string, at: number): { readonly text: string; readonly end: number } {
  const hex = /^\\x([0-9a-fA-F]{2})|^\\u([0-9a-fA-F]{4})/.exec(sql.slice(at, at + 6));
  if (hex !== null) return { text: String.fromCharCode(Number.parseInt(hex[1] ?? hex[2] ?? '0', 16)), end: at + hex[0].length };
  const letter = sql.charAt(at + 1);
  return { text: escapes[letter] ?? letter, end: at + 2 };
}

function readQuoted(sql: string, start: number): Token {
  let text = '';
  let at = start + 1;
  for (;;) {
    const char = sql.charAt(at);
    if (char === '') throw syntaxError(sql, start, '"');
    if (char !== '"') {
      text += char;
      at += 1;
    } else if (sql.charAt(at + 1) === '"') {
      text += '"';
      at += 2;
    } else {
      if (text === '') throw syntaxError(sql, start, '""');
      if (text.length > 255) {
        throw compilationError('001022', '42601', `maximum identifier length of 255 exceeded: '${text.slice(0, 40)}…'`);
      }
      return { kind: 'quoted', text, start, end: at + 1 };
    }
  }
}

export function syntaxError(sql: string, at: number, found: string): SnowflakeError {
  const before = sql.slice(0, at).split('\n');
  const position = before.at(-1)?.length ?? 0;
  return compilationError('001003', '42000', `syntax error line ${before.length} at position ${position} unexpected '${found}'.`);
}
