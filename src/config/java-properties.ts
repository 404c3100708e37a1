/**
 * Reads a Java `.properties` file: `key=value`, `key: value` or `key value` lines, `#` and `!` comments, a backslash
 * at the end of a line continues it, `\t \n \r \f \uXXXX` and escaped separators.
 *
 * Source: java.util.Properties.load.
 */
export function parseJavaProperties(text: string): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    let line = trimStart(lines[at] ?? '');
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    while (endsInOddBackslashes(line) && at + 1 < lines.length) line = line.slice(0, -1) + trimStart(lines[++at] ?? '');
    // The key ends at the first separator that no backslash precedes.
    const match = /^((?:\\.|[^\\=:\s])*)(?:[ \t\f]*[=:][ \t\f]*|[ \t\f]+|$)/s.exec(line);
    if (match === null) continue;
    result.set(unescape(match[1] ?? ''), unescape(line.slice(match[0].length)));
  }
  return result;
}

function trimStart(line: string): string {
  return line.replace(/^[ \t\f]+/, '');
}

function endsInOddBackslashes(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
}

function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/gs, (_all, hex: string | undefined, char: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (char === undefined) return '';
    return { t: '\t', n: '\n', r: '\r', f: '\f' }[char] ?? char;
  });
}
