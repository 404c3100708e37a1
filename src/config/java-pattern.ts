import { MillraceError } from '../base/errors.ts';
import { compileTranslated, translateJavaRegex } from './java-regex.ts';

/** A pattern of `java.util.regex`, letter case counting, as routers and predicates use it. */
export interface JavaPattern {
  /** Whether it matches the whole text. */
  matches(text: string): boolean;
  /** `Matcher.replaceFirst` with this replacement: `$1`, `${name}`, a backslash takes the next character as it is. @throws CONFIG_INVALID */
  replacement(replacement: string): (text: string) => string;
}

/** @throws CONFIG_INVALID for what is wrong in Java too, CONFIG_UNSUPPORTED for a construct that JavaScript lacks */
export function compileJavaPattern(pattern: string): JavaPattern {
  const source = translateJavaRegex(pattern, false);
  const whole = compileTranslated(pattern, `^(?:${source})$`);
  const first = compileTranslated(pattern, source);
  const groups = compileTranslated(pattern, `${source}|`).exec('');
  const count = (groups?.length ?? 1) - 1;
  return {
    matches: (text) => whole.test(text),
    replacement(replacement) {
      const parts = partsOf(replacement, count, Object.keys(groups?.groups ?? {}));
      return (text) => {
        const match = first.exec(text);
        if (match === null) return text;
        const made = parts.map((part) => (typeof part === 'string' ? part : (groupOf(match, part.group) ?? ''))).join('');
        return text.slice(0, match.index) + made + text.slice(match.index + match[0].length);
      };
    },
  };
}

function groupOf(match: RegExpExecArray, group: number | string): string | undefined {
  return typeof group === 'number' ? match[group] : match.groups?.[group];
}

type Part = string | { readonly group: number | string };

function partsOf(replacement: string, count: number, names: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < replacement.length;) {
    const char = replacement[at] ?? '';
    const rest = replacement.slice(at);
    if (char === '\\') {
      if (rest.length === 1) throw malformed(replacement, 'character to be escaped is missing');
      parts.push(rest[1] ?? '');
      at += 2;
    } else if (char === '$') {
      const [taken, group] = readGroup(rest, count);
      if (typeof group === 'string' && !names.includes(group)) throw malformed(replacement, `No group with name {${group}}`);
      if (typeof group === 'number' && group > count) throw malformed(replacement, `No group ${group}`);
      if (taken === 0) throw malformed(replacement, 'Illegal group reference');
      parts.push({ group });
      at += taken;
    } else {
      parts.push(char);
      at++;
    }
  }
  return parts;
}

/** So many digits as make the number of a group that there is. */
function readGroup(text: string, count: number): readonly [taken: number, group: number | string] {
  const name = /^\$\{([A-Za-z][A-Za-z0-9]*)\}/.exec(text);
  if (name !== null) return [name[0].length, name[1] ?? ''];
  const digits = /^\$(\d+)/.exec(text)?.[1] ?? '';
  if (digits === '') return [0, 0];
  let size = 1;
  while (size < digits.length && Number(digits.slice(0, size + 1)) <= count) size++;
  return [1 + size, Number(digits.slice(0, size))];
}

function malformed(replacement: string, what: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', `The replacement "${replacement}" is malformed: ${what}`);
}
