/** The escapes and character classes of Java's regular expressions, as JavaScript's with the `v` flag. */

/** A pattern under translation: the text and the place in it. */
export interface PatternReader {
  readonly text: string;
  at: number;
  /** Refuses the pattern; `what` names the construct. */
  refuse(what: string): never;
}

// Java's predefined classes are ASCII unless UNICODE_CHARACTER_CLASS is set; JavaScript's \s and \b are not.
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
export function literal(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code > 0x7f) return `(?-i:\\u{${code.toString(16)}})`;
  return /[A-Za-z0-9_]/.test(char) ? char : `\\x${code.toString(16).padStart(2, '0')}`;
}

/** An escape, in or outside of a class; the reader stands on the backslash. */
export function readEscape(reader: PatternReader, inClass: boolean): string {
  const { text } = reader;
  const letter = text[reader.at + 1];
  if (letter === undefined) return end(reader);
  const known = predefined[letter];
  if (known !== undefined) {
    reader.at += 2;
    // With JavaScript's letter folding, \w would also match the long s and the Kelvin sign.
    return inClass ? known : `(?-i:${known})`;
  }
  if (letter === 'p' || letter === 'P') return readProperty(reader);
  const code = readCharacterCode(reader);
  if (code !== undefined) return character(code, inClass);
  if (!/[A-Za-z0-9]/.test(letter)) {
    const own = text.codePointAt(reader.at + 1) ?? 0;
    reader.at += 1 + String.fromCodePoint(own).length;
    return character(own, inClass);
  }
  if (!inClass) {
    const outside = readOutsideEscape(reader, letter);
    if (outside !== undefined) return outside;
  }
  return reader.refuse(`the escape \\${letter}`);
}

/** What has a meaning outside of classes only: anchors and references. */
function readOutsideEscape(reader: PatternReader, letter: string): string | undefined {
  const rest = reader.text.slice(reader.at);
  const anchor = { A: '^', z: '$', Z: '$', b: '\\b', B: '\\B' }[letter];
  if (anchor !== undefined) {
    if (rest.startsWith('\\b{')) reader.refuse('the boundary \\b{…}');
    reader.at += 2;
    return anchor;
  }
  const reference = /^\\(?:[1-9]|k<[A-Za-z][A-Za-z0-9]*>)/.exec(rest);
  if (reference === null) return undefined;
  if (/^\\\d\d/.test(rest)) reader.refuse('a reference of several digits');
  reader.at += reference[0].length;
  return reference[0];
}

/** The code point that an escape stands for; the reader moves only if there is one. */
function readCharacterCode(reader: PatternReader): number | undefined {
  const rest = reader.text.slice(reader.at);
  const control = controls[rest[1] ?? ''];
  if (control !== undefined) {
    reader.at += 2;
    return control;
  }
  const hex = /^\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4}))/.exec(rest);
  if (hex !== null) {
    reader.at += hex[0].length;
    return Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '0', 16);
  }
  const octal = /^\\0([0-3]?[0-7]{1,2})/.exec(rest);
  if (octal !== null) {
    reader.at += octal[0].length;
    return Number.parseInt(octal[1] ?? '0', 8);
  }
  const ctrl = /^\\c([\x00-\x7f])/.exec(rest);
  if (ctrl !== null) {
    reader.at += 3;
    return (ctrl[1] ?? '').charCodeAt(0) ^ 64;
  }
  return undefined;
}

/** `\p{…}` and `\P{…}`: POSIX classes, general categories, scripts and binary properties. */
function readProperty(reader: PatternReader): string {
  const match = /^\\([pP])(?:\{(\^?)([A-Za-z0-9_=]+)\}|([A-Z]))/.exec(reader.text.slice(reader.at));
  if (match === null) return reader.refuse('a malformed \\p{…}');
  const [all, p, , braced, single] = match;
  reader.at += all.length;
  const negated = (p === 'P') !== (match[2] === '^');
  const name = braced ?? single ?? '';
  const ranges = posix[name];
  if (ranges !== undefined) return `[${negated ? '^' : ''}${ranges}]`;
  const property = unicodeProperty(name);
  if (property === undefined) return reader.refuse(`the class ${all}`);
  return `\\${negated ? 'P' : 'p'}{${property}}`;
}

function unicodeProperty(name: string): string | undefined {
  const bare = name.replace(/^Is/, '');
  const candidates = /^(?:sc|script|IsScript)=/.test(name)
    ? [name.replace(/^[^=]*/, 'Script')]
    : /^(?:gc|general_category)=/.test(name)
      ? [name.replace(/^[^=]*/, 'General_Category')]
      : /^[A-Z][a-z]?$/.test(bare)
        ? [bare]
        : name.startsWith('Is')
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
    if (char === undefined) return end(reader);
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
  if (text.startsWith('\\Q', reader.at)) reader.refuse('\\Q…\\E inside of a character class');
  const start = readClassCharacter(reader);
  if (start.startsWith('[') || text[reader.at] !== '-') return start;
  // "a-]" and "a-[": the dash stands for itself.
  const next = text[reader.at + 1];
  if (next === undefined || next === ']' || next === '[') return start;
  reader.at++;
  const stop = readClassCharacter(reader);
  return stop.startsWith('[') || stop.startsWith('\\p') || stop.startsWith('\\P') ? `${start}\\x2d${stop}` : `${start}-${stop}`;
}

function readClassCharacter(reader: PatternReader): string {
  if (reader.text[reader.at] === '\\') return readEscape(reader, true);
  const code = reader.text.codePointAt(reader.at) ?? 0;
  reader.at += String.fromCodePoint(code).length;
  return character(code, true);
}

function character(code: number, inClass: boolean): string {
  return inClass ? `\\u{${code.toString(16)}}` : literal(String.fromCodePoint(code));
}

/** A pattern that ends inside of a construct; RegExp reports it as malformed. */
function end(reader: PatternReader): string {
  reader.at = reader.text.length;
  return '[';
}
