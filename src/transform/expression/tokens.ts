import { MillraceError } from '../../base/errors.ts';

export type Token =
  | { readonly kind: 'name'; readonly text: string; readonly at: number }
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number };

/** Whether the expression is read as Groovy, in which a few things mean something else. */
export type Language = 'javascript' | 'groovy';

const signs = ['===', '!==', '==~', '...', '?.', '??', '==', '!=', '<=', '>=', '&&', '||', '?:', '=>', '->', '=~', '++', '--', '**'];
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\\': '\\', "'": "'", '"': '"', $: '$' };
const maxLength = 10_000;

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming what is wrong and where */
export function tokenize(text: string, language: Language): readonly Token[] {
  if (text.length > maxLength) throw new MillraceError('CONFIG_UNSUPPORTED', `the expression has more than ${maxLength} characters`);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const blank = /^\s+/.exec(rest)?.[0];
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0];
    const number = /^(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/.exec(rest)?.[0];
    const quote = rest[0] ?? '';
    if (name !== undefined) {
      tokens.push({ kind: 'name', text: name, at });
      at += name.length;
    } else if (number !== undefined) {
      // a number's own type does not matter to a comparison: 2L, 2n
      const suffix = /^[nNlLgGfFdD](?![A-Za-z0-9_])/.exec(rest.slice(number.length))?.[0] ?? '';
      tokens.push({ kind: 'number', text: number, at });
      at += number.length + suffix.length;
    } else if (quote === "'" || quote === '"') {
      const { value, length } = readText(rest, language, at);
      tokens.push({ kind: 'text', text: value, at });
      at += length;
    } else if (quote === '`') {
      throw unsupported(text, at, 'template strings');
    } else {
      const sign = signs.find((each) => rest.startsWith(each)) ?? quote;
      if (rest.startsWith('//') || rest.startsWith('/*')) throw unsupported(text, at, 'comments');
      tokens.push({ kind: 'sign', text: sign, at });
      at += sign.length;
    }
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}

function readText(rest: string, language: Language, at: number): { readonly value: string; readonly length: number } {
  const quote = rest[0] ?? '';
  let value = '';
  for (let i = 1; i < rest.length; i++) {
    const char = rest[i] ?? '';
    if (char === quote) return { value, length: i + 1 };
    if (char === '\n') break;
    if (char === '$' && quote === '"' && language === 'groovy') throw unsupported(rest, at, 'interpolated strings ("$…")');
    if (char !== '\\') {
      value += char;
      continue;
    }
    const next = rest[++i] ?? '';
    const code = next === 'u' ? /^[0-9a-fA-F]{4}/.exec(rest.slice(i + 1))?.[0] : undefined;
    if (code === undefined) {
      const escaped = escapes[next];
      if (escaped === undefined) throw unsupported(rest, at, `the escape \\${next}`);
      value += escaped;
    } else {
      value += String.fromCharCode(Number.parseInt(code, 16));
      i += 4;
    }
  }
  throw new MillraceError('CONFIG_INVALID', `a text that begins at character ${at + 1} does not end`);
}

export function unsupported(text: string, at: number, what: string): MillraceError {
  return new MillraceError('CONFIG_UNSUPPORTED', `at character ${at + 1}, Millrace's expressions do not have ${what}`, {
    nextStep: 'docs/transformations.md lists what they have.',
    context: { expression: text },
  });
}
