/**
 * Java regular expressions as Debezium's include and exclude lists use them: comma-separated, each compared with the
 * whole name, letter case aside. A pattern is translated construct by construct, so that it either means here what it
 * means in Java, or is refused by the name of what JavaScript lacks; it never silently matches other tables.
 *
 * Java's CASE_INSENSITIVE folds the letters of ASCII only, JavaScript's flag all of Unicode's: it is not used, and letters are
 * written in both cases. What Java answers to each construct is in `fixtures/java-regex.json`.
 */
import { MillraceError } from '../base/errors.ts';
import { endOfText, literal, readClass, readEscape } from './java-regex-class.ts';
import type { PatternReader } from './java-regex-class.ts';
import { PatternGroups } from './java-regex-groups.ts';
import type { GroupKind } from './java-regex-groups.ts';

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

/** One Java pattern as a RegExp that matches whole texts only, letter case aside; see `parseRegexList`. */
export function compileJavaRegex(pattern: string): RegExp {
  return compileTranslated(pattern, `^(?:${translateJavaRegex(pattern, true)})$`);
}

/** @throws CONFIG_INVALID */
export function compileTranslated(pattern: string, source: string): RegExp {
  try {
    return new RegExp(source, 'v');
  } catch (cause) {
    throw malformed(pattern, undefined, cause);
  }
}

function malformed(pattern: string, what: string | undefined, cause?: unknown): MillraceError {
  return new MillraceError(
    'CONFIG_INVALID',
    `The regular expression "${shortened(pattern)}" is malformed${what === undefined ? '' : `: ${what}`}`,
    {
      cause,
      nextStep: 'Correct the pattern. A comma inside of a pattern is written `\\,`.',
      context: { pattern },
    },
  );
}

function shortened(pattern: string): string {
  return pattern.length > 1000 ? `${pattern.slice(0, 1000)}…` : pattern;
}

/** The source of a JavaScript pattern (flag `v`) that means the same. `ignoresCase`: unless the pattern says otherwise. */
export function translateJavaRegex(pattern: string, ignoresCase: boolean): string {
  const reader: PatternReader = {
    text: withoutQuotes(pattern),
    at: 0,
    ignoresCase,
    dotAll: false,
    groups: new PatternGroups({ ignoresCase, dotAll: false }),
    refuse(what) {
      throw new MillraceError(
        'CONFIG_UNSUPPORTED',
        `The regular expression "${shortened(pattern)}" uses ${what}, which Millrace does not have`,
        {
          nextStep: `Write the pattern without ${what}.`,
          context: { pattern },
        },
      );
    },
    malformed(what) {
      throw malformed(pattern, what);
    },
  };
  let out = '';
  while (reader.at < reader.text.length) out += readItem(reader);
  return out;
}

/** `\Q…\E`: everything between stands for itself, in classes, too. Source: Pattern.RemoveQEQuoting. */
function withoutQuotes(pattern: string): string {
  return pattern.replace(/\\Q(.*?)(?:\\E|$)|\\./gsu, (all: string, quoted: string | undefined) =>
    quoted === undefined ? all : quoted.replace(/[^A-Za-z]/gu, (char) => (/\d/.test(char) ? `\\x3${char}` : `\\${char}`)),
  );
}

function readItem(reader: PatternReader): string {
  const { text, groups } = reader;
  const char = String.fromCodePoint(text.codePointAt(reader.at) ?? 0);
  switch (char) {
    case '\\':
      return readEscape(reader);
    case '[':
      return readClass(reader);
    case '(':
      return readGroupStart(reader);
    case ')':
      reader.at++;
      return closeGroup(reader);
    case '.':
      reader.at++;
      return reader.dotAll ? '[^]' : '[^\\n\\r\\u0085\\u2028\\u2029]';
    case '?':
    case '*':
    case '+':
    case '{':
      return readQuantifier(reader);
    case '^':
      reader.at++;
      return '(?:^)';
    case '$':
      reader.at++;
      return endOfText;
    case '|':
      reader.at++;
      groups.alternative();
      return char;
    default:
      reader.at += char.length;
      return literal(char, reader.ignoresCase);
  }
}

function readQuantifier(reader: PatternReader): string {
  const match = /^(?:[?*+]|\{\d+(?:,\d*)?\})/.exec(reader.text.slice(reader.at));
  if (match === null) return reader.malformed('a repetition without a number');
  if (reader.at === 0 && match[0].startsWith('{')) reader.refuse(`the repetition ${match[0]} of nothing`);
  let quantifier = take(reader, match[0].length);
  if (reader.text[reader.at] === '?') quantifier += take(reader, 1);
  else if (reader.text[reader.at] === '+') reader.refuse(`the possessive quantifier ${quantifier}+`);
  if (reader.text[reader.at] === '{') reader.refuse(`the repetition of ${quantifier}`);
  return quantifier;
}

function closeGroup(reader: PatternReader): string {
  const flags = reader.groups.close(/^(?:[?*]|\{0)/.test(reader.text.slice(reader.at)));
  if (flags === undefined) return reader.malformed('a closing parenthesis without its opening one');
  Object.assign(reader, flags);
  return ')';
}

/** Java itself ends deeper ones by an overflow of its stack, somewhere in the thousands. */
const deepestGroup = 500;

const groupKinds: Readonly<Record<string, GroupKind>> = { '=': 'ahead', '!': 'negative', '<=': 'behind', '<!': 'negative' };

function readGroupStart(reader: PatternReader): string {
  const { groups, ignoresCase, dotAll } = reader;
  if (groups.depth >= deepestGroup) reader.refuse(`more than ${deepestGroup} groups inside of each other`);
  const rest = reader.text.slice(reader.at);
  const flags = { ignoresCase, dotAll };
  const [start, sort = '', name] = /^\((?:\?(:|=|!|<[=!]|<([A-Za-z][A-Za-z0-9]*)>))?/.exec(rest) ?? ['('];
  if (start.length > 1 || !rest.startsWith('(?')) {
    const captures = start === '(' || name !== undefined;
    if (!groups.open({ captures, name, kind: groupKinds[sort] ?? 'plain', flags })) reader.malformed(`two groups named ${name}`);
    return take(reader, start.length);
  }
  if (rest.startsWith('(?>')) reader.refuse('the atomic group (?>…)');
  const [all, on = '', off = '', end] = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/.exec(rest) ?? [];
  if (all === undefined) return reader.malformed('an unknown kind of group');
  for (const flag of on + off) {
    if (/[dmuxU]/.test(flag)) reader.refuse(`the inline flag (?${flag})`);
    if (!/[is]/.test(flag)) reader.malformed(`there is no flag (?${flag})`);
  }
  if (end === ':') groups.open({ captures: false, kind: 'plain', flags });
  reader.ignoresCase = !off.includes('i') && (ignoresCase || on.includes('i'));
  reader.dotAll = !off.includes('s') && (dotAll || on.includes('s'));
  reader.at += all.length;
  return end === ':' ? '(?:' : '';
}

function take(reader: PatternReader, count: number): string {
  const taken = reader.text.slice(reader.at, reader.at + count);
  reader.at += count;
  return taken;
}
