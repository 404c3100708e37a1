import { isJsonObject } from '../../src/base/json-object.ts';

export interface Difference {
  /** `status`, `header location`, `$.tasks[0].state`. */
  readonly at: string;
  readonly expected: string;
  readonly got: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** What differs between two JSON values. Members of objects have no order, items of lists have, but for those named below. */
export function jsonDifferences(expected: unknown, got: unknown, varies: readonly string[]): readonly Difference[] {
  const varying = new Set(varies);
  const found: Difference[] = [];
  const note = (at: string, a: unknown, b: unknown): void => void found.push({ at, expected: brief(a), got: brief(b) });
  const walk = (a: unknown, b: unknown, at: string): void => {
    if (varying.has(at) || varying.has(at.replace(/\[\d+\]$/, '[*]'))) {
      // A place that varies may be null at times; it is no list where there was a text.
      if (typeof a === 'object' && a !== null && kindOf(a) !== kindOf(b)) note(at, a, b);
    } else if (kindOf(a) !== kindOf(b)) note(at, a, b);
    else if (Array.isArray(a) && Array.isArray(b)) {
      const [x, y] = [inOrder(a, at), inOrder(b, at)];
      for (let i = 0; i < Math.max(x.length, y.length); i++) {
        if (i < x.length && i < y.length) walk(x[i], y[i], `${at}[${i}]`);
        else note(`${at}[${i}]`, x[i], y[i]);
      }
    } else if (isJsonObject(a) && isJsonObject(b)) {
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
        if (Object.hasOwn(a, name) && Object.hasOwn(b, name)) walk(a[name], b[name], memberOf(at, name));
        else note(memberOf(at, name), a[name], b[name]);
      }
    } else if (a !== b && !(typeof a === 'string' && typeof b === 'string' && plainPlaces(a) === plainPlaces(b))) note(at, a, b);
  };
  walk(expected, got, '$');
  return found;
}

export function brief(value: unknown): string {
  const text = value === undefined ? '(nothing)' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length})` : text;
}

/** Tasks of a status, topics, and names at the top come in any order. */
function inOrder(list: readonly unknown[], at: string): readonly unknown[] {
  const texts = list.filter((each) => typeof each === 'string');
  if ((at === '$' || at.endsWith('.topics')) && texts.length === list.length) return texts.toSorted();
  if (!at.endsWith('.tasks')) return list;
  const id = (task: unknown): number => (isJsonObject(task) && typeof task['id'] === 'number' ? task['id'] : 0);
  return list.toSorted((a, b) => id(a) - id(b));
}

/** Where a parser stumbled depends on the length of this machine's names; where the plugins lie, and times, are its own. */
function plainPlaces(text: string): string {
  return text
    .replaceAll(/line: \d+, column: \d+/g, 'line: N, column: N')
    .replaceAll(/location='[^']*'/g, "location='…'")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/org\.apache\.kafka\.connect\.errors\.ConnectException: (?=Failed to find any class)/g, '');
}

function memberOf(at: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${at}.${name}` : `${at}[${JSON.stringify(name)}]`;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
}
