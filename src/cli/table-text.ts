import type { Paint } from './terminal.ts';

export interface TextColumn {
  readonly name: string;
  readonly right?: boolean;
}

/** Widest cell; longer texts are cut, since one of them would push all others off the screen. */
const widest = 60;

/** Rows as an aligned table for people: a head, a rule, one line a row. Null is shown as such, apart from the text "NULL". */
export function formatTable(columns: readonly TextColumn[], rows: readonly (readonly (string | null)[])[], paint: Paint): string {
  const cells = rows.map((row) => columns.map((_, at) => shown(row[at] ?? null)));
  const widths = columns.map((column, at) => Math.max(width(column.name), ...cells.map((row) => width(row[at] ?? '')), 1));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => pad(text, widths[at] ?? 0, columns[at]?.right ?? false))
      .join('  ')
      .trimEnd();
  const body = cells.map((row, at) => {
    const text = line(row);
    return rows[at]?.includes(null) === true ? text.replaceAll('∅', paint('dim', '∅')) : text;
  });
  return [paint('bold', line(columns.map((column) => column.name))), line(widths.map((count) => '─'.repeat(count))), ...body].join('\n');
}

function shown(value: string | null): string {
  if (value === null) return '∅';
  const flat = value.replaceAll(/[\u0000-\u001f\u007f]/g, (char) => ({ '\n': '⏎', '\t': '⇥' })[char] ?? '·');
  if (width(flat) <= widest) return flat;
  let cut = '';
  for (const char of flat) {
    if (width(cut) + width(char) > widest - 1) break;
    cut += char;
  }
  return `${cut}…`;
}

function pad(text: string, count: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, count - width(text)));
  return right ? blanks + text : text + blanks;
}

/** Columns that a text takes on a terminal: none for combining marks, two for wide East Asian characters and emoji. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(char)) continue;
    const code = char.codePointAt(0) ?? 0;
    const wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3);
    const wider = (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60);
    columns += wide || wider || (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd) ? 2 : 1;
  }
  return columns;
}

/** `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `850 ms`, `4.2 s`, `3 m 20 s`, `2 h 5 m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

/** `350 KB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`;
}
