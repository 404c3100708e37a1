/** The escapes and character classes of Java's regular expressions, as JavaScript's with the `v` flag and without `i`. */
import type { PatternGroups } from './java-regex-groups.ts';

/** A pattern under translation: the text and the place in it. */
export interface PatternReader {
  readonly text: string;
  at: number;
  /** Of the place: letters of ASCII match either case, and no others do, as in Java without UNICODE_CASE. */
  ignoresCase: boolean;
  dotAll: boolean;
  readonly groups: PatternGroups;
  /** Refuses the pattern for a construct that Java has; `what` names it. */
  refuse(what: string): never;
  /** Refuses the pattern for what is wrong in Java, too. */
  malformed(what: string): never;
}

// Java's predefined classes are ASCII unless UNICODE_CHARACTER_CLASS is set; JavaScript's \s is not.
const predefined: Readonly<Record<string, string>> = {
  d: '[0-9]',
  D: '[^0-9]',
  w: '[A-Za-z0-9_]',
  W: '[^A-Za-z0-9_]',
  s: '[ \\t\\n\\x0b\\f\\r]',
  S: '[^ \\t\\n\\x0b\\f\\r]',
  h: '[ \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
  H: '[^ \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
  v: '[\\n\\x0b\\f\\r\\x85\\u2028\\u2029]',
  V: '[^\\n\\x0b\\f\\r\\x85\\u2028\\u2029]',
};

const posix: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7f',
  Alpha: 'A-Za-z',
  Digit: '0-9',
  Alnum: 'A-Za-z0-9',
  Punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  Graph: '\\x21-\\x7e',
  Print: '\\x20-\\x7e',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1f\\x7f',
  XDigit: '0-9A-Fa-f',
  Space: ' \\t\\n\\x0b\\f\\r',
};

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };

/** A character that stands for itself outside of a class. */
export function literal(char: string, ignoresCase: boolean): string {
  const code = char.codePointAt(0) ?? 0;
  if (/[A-Za-z]/.test(char)) return ignoresCase ? `[${char.toUpperCase()}${char.toLowerCase()}]` : char;
  return /[0-9_]/.test(char) ? char : codeText(code);
}

function codeText(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/** An escape outside of a class; the reader stands on the backslash. */
export function readEscape(reader: PatternReader): string {
  const letter = reader.text[reader.at + 1] ?? '';
  const set = readSet(reader);
  if (set !== undefined) return set;
  const code = readCharacterCode(reader);
  if (code !== undefined) return literal(String.fromCodePoint(code), reader.ignoresCase);
  // Patterns match whole texts, at the first try: what Java calls the end of the previous match is the beginning.
  const anchor = { A: '(?:^)', G: '(?:^)', z: '(?:$)', Z: endOfText, b: '(?:\\b)', B: '(?:\\B)' }[letter];
  if (anchor !== undefined) {
    if (reader.text.startsWith('\\b{', reader.at)) reader.refuse('the boundary \\b{…}');
    reader.at += 2;
    return anchor;
  }
  if (letter === 'R') {
    reader.at += 2;
    return `(?:\\r\\n|${predefined['v']})`;
  }
  return readReference(reader) ?? refuseEscape(reader, letter);
}

/** The end, or before a line's end that is the last of the text. Source: Pattern.Dollar. */
export const endOfText = '(?:(?=(?:\\r\\n|(?<!\\r)\\n|[\\r\\u0085\\u2028\\u2029])?$))';

/** A reference to a group; undefined: there is none. Java takes as many digits as name a group. */
function readReference(reader: PatternReader): string | undefined {
  const { groups } = reader;
  const rest = reader.text.slice(reader.at);
  const [, all, name] = /^\\([1-9]\d*|k<([A-Za-z][A-Za-z0-9]*)>)/.exec(rest) ?? [];
  if (all === undefined) return undefined;
  let index: number | undefined;
  let size = all.length;
  if (name === undefined) {
    size = 1;
    while (size < all.length && Number(all.slice(0, size + 1)) <= groups.count) size++;
    index = Number(all.slice(0, size));
  } else index = groups.numberOf(name) ?? reader.malformed(`there is no group ${name} before \\k<${name}>`);
  if (groups.isInLookbehind) reader.malformed('a reference inside of a lookbehind');
  if (!groups.certainlyTookPart(index)) {
    reader.refuse(`the reference \\${all.slice(0, size)} to a group that may not take part in the match`);
  }
  reader.at += 1 + size;
  // With JavaScript's letter folding, it would match a bit more than in Java: é and É.
  return `(?${reader.ignoresCase ? 'i' : ''}:\\${index})`;
}

function refuseEscape(reader: PatternReader, letter: string): never {
  if (letter === '') return reader.malformed('a backslash at its end');
  if ('XN'.includes(letter)) return reader.refuse(`the escape \\${letter}`);
  return reader.malformed(`there is no escape \\${letter}`);
}

/** `\d`, `\p{…}` and their like, as a class; undefined: it is none of them. */
function readSet(reader: PatternReader): string | undefined {
  const letter = reader.text[reader.at + 1] ?? '';
  if (letter === 'p' || letter === 'P') return readProperty(reader);
  const known = predefined[letter];
  if (known !== undefined) reader.at += 2;
  return known;
}

/** The code point that an escape stands for; the reader moves only if there is one. */
function readCharacterCode(reader: PatternReader): number | undefined {
  const rest = reader.text.slice(reader.at);
  const letter = rest[1] ?? '';
  const control = controls[letter];
  if (control !== undefined) {
    reader.at += 2;
    return control;
  }
  const forms: readonly (readonly [RegExp, (text: string) => number])[] = [
    [/^\\u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})/, surrogatePair],
    [/^\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4}))/, (text) => Number.parseInt(text, 16)],
    [/^\\0([0-3]?[0-7]{1,2})/, (text) => Number.parseInt(text, 8)],
    [/^\\c([\x00-\x7f])/, (text) => text.charCodeAt(0) ^ 64],
  ];
  for (const [form, codeOf] of forms) {
    const match = form.exec(rest);
    if (match === null) continue;
    const code = codeOf(match[1] ?? match[2] ?? match[3] ?? '');
    if (code > 0x10ffff) reader.malformed('a character beyond U+10FFFF');
    reader.at += match[0].length;
    return code;
  }
  if (letter === '' || /[A-Za-z0-9]/.test(letter)) return undefined;
  const own = reader.text.codePointAt(reader.at + 1) ?? 0;
  reader.at += 1 + String.fromCodePoint(own).length;
  return own;
}

function surrogatePair(text: string): number {
  const [high = '', low = ''] = text.split('\\u');
  return String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)).codePointAt(0) ?? 0;
}

/** `\p{…}` and `\P{…}`: POSIX classes, general categories, scripts and binary properties. */
function readProperty(reader: PatternReader): string {
  const match = /^\\([pP])(?:\{([A-Za-z0-9_=]+)\}|([A-Z]))/.exec(reader.text.slice(reader.at));
  if (match === null) return reader.malformed('\\p without a name');
  const [all, p, braced, single] = match;
  reader.at += all.length;
  const name = braced ?? single ?? '';
  const content = setOfName(name, reader.ignoresCase);
  if (content === undefined) return reader.refuse(`the class ${all}`);
  return `[${p === 'P' ? '^' : ''}${content}]`;
}

/** What stands for the class between brackets. Java's classes of one case are classes of both when case is ignored. */
function setOfName(name: string, ignoresCase: boolean): string | undefined {
  if (ignoresCase && /^(?:Lower|Upper)$/.test(name)) return 'A-Za-z';
  const ranges = posix[name];
  if (ranges !== undefined) return ranges;
  if (ignoresCase && /^(?:(?:Is|gc=|general_category=)?L[ult]|Is(?:Lower|Upper|Title)case)$/.test(name)) {
    return name.endsWith('case') ? '\\p{Lowercase}\\p{Uppercase}\\p{Lt}' : '\\p{Lu}\\p{Ll}\\p{Lt}';
  }
  const property = unicodeProperty(name);
  return property === undefined ? undefined : `\\p{${property}}`;
}

function unicodeProperty(name: string): string | undefined {
  const bare = name.replace(/^Is/, '');
  const candidates = /^(?:sc|script)=/.test(name)
    ? [name.replace(/^[^=]*/, 'Script')]
    : /^(?:gc|general_category)=/.test(name)
      ? [name.replace(/^[^=]*/, 'General_Category')]
      : /^(?:[A-Z][a-z]?|LC)$/.test(bare)
        ? [bare]
        : /^Is\w+$/.test(name)
          ? [bare, `Script=${bare}`]
          : [];
  return candidates.find((candidate) => {
    try {
      new RegExp(`\\p{${candidate}}`, 'v');
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * A character class with Java's unions (`[a-c[x-z]]`), intersections (`[a-z&&[^bc]]`, `[a-z&&def]`) and escapes; the
 * reader stands on the opening bracket. A closing bracket that comes first stands for itself.
 */
export function readClass(reader: PatternReader): string {
  const { text } = reader;
  reader.at++;
  const negated = text[reader.at] === '^';
  if (negated) reader.at++;
  const operands: string[] = [];
  let union = '';
  let first = true;
  for (;;) {
    const char = text[reader.at];
    if (char === undefined) return reader.malformed('a class without its end');
    if (char === ']' && !first) {
      reader.at++;
      break;
    }
    if (text.startsWith('&&', reader.at)) {
      reader.at += 2;
      if (union !== '') operands.push(`[${union}]`);
      union = '';
      // "[a&&]" and "[&&&a]" mean different things in different versions of Java.
      if (text[reader.at] === ']' || text[reader.at] === '&') reader.refuse('an intersection with nothing');
      continue;
    }
    union += readClassItem(reader);
    first = false;
  }
  if (operands.length === 0) return `[${negated ? '^' : ''}${union}]`;
  if (union !== '') operands.push(`[${union}]`);
  return `[${negated ? '^' : ''}${operands.join('&&')}]`;
}

function readClassItem(reader: PatternReader): string {
  const { text } = reader;
  if (text[reader.at] === '[') return readClass(reader);
  const set = text[reader.at] === '\\' ? readSet(reader) : undefined;
  if (set !== undefined) return set;
  const from = readClassCharacter(reader);
  // "a-]" and "a-[": the dash stands for itself.
  const next = text[reader.at] === '-' ? text[reader.at + 1] : undefined;
  if (next === undefined || next === ']' || next === '[') return rangeText(from, from, reader.ignoresCase);
  reader.at++;
  const to = readClassCharacter(reader);
  if (to < from) reader.malformed('a range whose end comes before its begin');
  return rangeText(from, to, reader.ignoresCase);
}

function readClassCharacter(reader: PatternReader): number {
  if (reader.text[reader.at] === '\\') return readCharacterCode(reader) ?? refuseEscape(reader, reader.text[reader.at + 1] ?? '');
  const code = reader.text.codePointAt(reader.at) ?? 0;
  reader.at += String.fromCodePoint(code).length;
  return code;
}

/** With the other case of the letters of ASCII. Source: Pattern.CIRange. */
function rangeText(from: number, to: number, ignoresCase: boolean): string {
  const range = from === to ? codeText(from) : `${codeText(from)}-${codeText(to)}`;
  return ignoresCase ? range + otherCase(from, to, { first: 0x41, shift: 32 }) + otherCase(from, to, { first: 0x61, shift: -32 }) : range;
}

function otherCase(from: number, to: number, { first, shift }: { readonly first: number; readonly shift: number }): string {
  const [low, high] = [Math.max(from, first), Math.min(to, first + 25)];
  return low > high ? '' : rangeText(low + shift, high + shift, false);
}
