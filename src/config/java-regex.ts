/**
 * Java regular expressions as Debezium's include and exclude lists use them: comma-separated, each compared with the
 * whole name, letter case aside. A pattern is translated construct by construct, so that it either means here what it
 * means in Java, or is refused by the name of what JavaScript lacks; it never silently matches other tables.
 *
 * Java's CASE_INSENSITIVE folds ASCII letters only; non-ASCII letters outside of a character class keep that meaning.
 */
import { MillraceError } from '../base/errors.ts';
import { literal, readClass, readEscape } from './java-regex-class.ts';
import type { PatternReader } from './java-regex-class.ts';

/** The patterns of one list. */
export interface RegexList {
  readonly patterns: readonly string[];
  /** Whether any pattern matches the whole text. An empty list matches nothing. */
  matches(text: string): boolean;
  /** Of the first pattern that matches; -1: none does. */
  indexOf(text: string): number;
}

/**
 * Splits a list as Debezium does: at commas that no backslash precedes, blanks around the items removed, empty items
 * left out. `\,` becomes a comma.
 */
export function splitPatterns(list: string): readonly string[] {
  const items: string[] = [];
  let item = '';
  for (let at = 0; at < list.length; at++) {
    const char = list[at] ?? '';
    if (char === '\\') {
      const next = list[++at] ?? '';
      item += next === ',' ? ',' : char + next;
    } else if (char === ',') {
      items.push(item);
      item = '';
    } else {
      item += char;
    }
  }
  items.push(item);
  return items.map((text) => text.trim()).filter((text) => text !== '');
}

/**
 * Compiles a list of patterns.
 *
 * @throws CONFIG_INVALID for what is wrong in Java too, CONFIG_UNSUPPORTED for a construct that JavaScript lacks
 */
export function parseRegexList(list: string): RegexList {
  const patterns = splitPatterns(list);
  const compiled = patterns.map((pattern) => compileJavaRegex(pattern));
  return {
    patterns,
    matches: (text) => compiled.some((regex) => regex.test(text)),
    indexOf: (text) => compiled.findIndex((regex) => regex.test(text)),
  };
}

/** One Java pattern as a RegExp that matches whole texts only; see `parseRegexList`. */
export function compileJavaRegex(pattern: string): RegExp {
  const source = translateJavaRegex(pattern);
  try {
    return new RegExp(`^(?:${source})$`, 'iv');
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `The regular expression "${pattern}" is malformed`, {
      cause,
      nextStep: 'Correct the pattern. A comma inside of a pattern is written `\\,`.',
      context: { pattern },
    });
  }
}

/** The source of a JavaScript pattern (flag `v`) that means the same; an inline `(?i)` is left out. */
export function translateJavaRegex(pattern: string): string {
  const reader: PatternReader = {
    text: pattern,
    at: 0,
    refuse(what) {
      throw new MillraceError('CONFIG_UNSUPPORTED', `The regular expression "${pattern}" uses ${what}, which Millrace does not have`, {
        nextStep: `Write the pattern without ${what}.`,
        context: { pattern },
      });
    },
  };
  let out = '';
  while (reader.at < pattern.length) out += readItem(reader);
  return out;
}

function readItem(reader: PatternReader): string {
  const { text } = reader;
  const char = String.fromCodePoint(text.codePointAt(reader.at) ?? 0);
  switch (char) {
    case '\\':
      if (text[reader.at + 1] === 'Q') return readQuoted(reader);
      return readEscape(reader, false);
    case '[':
      return readClass(reader);
    case '(':
      return readGroupStart(reader);
    case '.':
      reader.at++;
      return '[^\\n\\r\\u0085\\u2028\\u2029]';
    case '?':
    case '*':
    case '+':
    case '{':
      return readQuantifier(reader);
    case ')':
    case '|':
    case '^':
    case '$':
      reader.at++;
      return char;
    default:
      reader.at += char.length;
      return literal(char);
  }
}

/** `\Q…\E`: everything between stands for itself. */
function readQuoted(reader: PatternReader): string {
  const start = reader.at + 2;
  const end = reader.text.indexOf('\\E', start);
  const quoted = end < 0 ? reader.text.slice(start) : reader.text.slice(start, end);
  reader.at = end < 0 ? reader.text.length : end + 2;
  return Array.from(quoted, literal).join('');
}

function readQuantifier(reader: PatternReader): string {
  const match = /^(?:[?*+]|\{\d+(?:,\d*)?\})/.exec(reader.text.slice(reader.at));
  // The same in Java: "Illegal repetition". RegExp says so too.
  if (match === null) return take(reader, 1);
  let quantifier = take(reader, match[0].length);
  if (reader.text[reader.at] === '?') quantifier += take(reader, 1);
  else if (reader.text[reader.at] === '+') reader.refuse(`the possessive quantifier ${quantifier}+`);
  return quantifier;
}

function readGroupStart(reader: PatternReader): string {
  const rest = reader.text.slice(reader.at);
  if (!rest.startsWith('(?')) return take(reader, 1);
  const plain = /^\(\?(?:[:=!]|<[=!]|<[A-Za-z][A-Za-z0-9]*>)/.exec(rest);
  if (plain !== null) return take(reader, plain[0].length);
  if (rest.startsWith('(?>')) reader.refuse('the atomic group (?>…)');
  const flags = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/.exec(rest);
  if (flags === null) return take(reader, 2);
  const [all = '', on = '', off = '', end] = flags;
  const other = /[^i]/.exec(on + off)?.[0];
  if (other !== undefined) reader.refuse(`the inline flag (?${other})`);
  if (off !== '' && end === ')') reader.refuse(`the inline flag (?-i) without a group, which would be (?-i:…)`);
  reader.at += all.length;
  // Patterns ignore letter case from the start, so that (?i) changes nothing unless it stands inside of (?-i:…).
  if (end === ')') {
    if (reader.text.includes('(?-i:')) reader.refuse('the inline flag (?i) together with (?-i:…)');
    return '';
  }
  return off === '' ? (on === '' ? '(?:' : '(?i:') : '(?-i:';
}

function take(reader: PatternReader, count: number): string {
  const taken = reader.text.slice(reader.at, reader.at + count);
  reader.at += count;
  return taken;
}
