import { printSide, type GoldenRecord, type Header, type Side } from './golden-record.ts';
import { isList, JsonNumber, JsonObject, printJson, Varying, type Json } from './lossless-json.ts';

/** A place in which our record is not the recorded one. */
export interface Difference {
  /** `value.payload.after.id`, `headers.x`, `record` (missing or extra), `topic`, `final.task` … */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** The same with where it was found. */
export interface PlacedDifference extends Difference {
  /** Empty: of the scenario as a whole. */
  readonly topic: string;
  /** `record 3`; empty: of the topic as a whole. */
  readonly record: string;
}

const noMember = '(no such member)';
const noItem = '(no such item)';

function step(path: string, name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function show(value: Json): string {
  return value instanceof Varying ? `${value.raw} (${value.shape})` : printJson(value);
}

/** The places in which two values differ; exact, to the order of members and the spelling of numbers. */
export function compareJson(expected: Json, got: Json, path: string): readonly Difference[] {
  const differs = [{ path, expected: show(expected), got: show(got) }];
  if (expected instanceof Varying || got instanceof Varying) {
    const same = expected instanceof Varying && got instanceof Varying && expected.kind === got.kind && expected.shape === got.shape;
    return same ? [] : differs;
  }
  if (expected instanceof JsonNumber && got instanceof JsonNumber) return expected.text === got.text ? [] : differs;
  if (expected instanceof JsonObject && got instanceof JsonObject) return compareObjects(expected, got, path);
  if (isList(expected) && isList(got)) return compareLists(expected, got, path);
  return expected === got ? [] : differs;
}

function compareObjects(expected: JsonObject, got: JsonObject, path: string): readonly Difference[] {
  const found = expected.members.flatMap(([name, value]) => {
    const other = got.get(name);
    const at = step(path, name);
    return other === undefined ? [{ path: at, expected: show(value), got: noMember }] : compareJson(value, other, at);
  });
  for (const [name, value] of got.members) {
    if (!expected.has(name)) found.push({ path: step(path, name), expected: noMember, got: show(value) });
  }
  const [order, ours] = [expected.names.join(', '), got.names.join(', ')];
  if (found.length === 0 && order !== ours) found.push({ path, expected: `members in the order ${order}`, got: ours });
  return found;
}

function compareLists(expected: readonly Json[], got: readonly Json[], path: string): readonly Difference[] {
  const found: Difference[] = [];
  for (let index = 0; index < Math.max(expected.length, got.length); index++) {
    const at = `${path}[${index}]`;
    const [one, other] = [expected[index], got[index]];
    if (one === undefined) found.push({ path: at, expected: noItem, got: other === undefined ? noItem : show(other) });
    else if (other === undefined) found.push({ path: at, expected: show(one), got: noItem });
    else found.push(...compareJson(one, other, at));
  }
  return found;
}

function compareSides(expected: Side, got: Side, path: string): readonly Difference[] {
  if (expected.kind === 'json' && got.kind === 'json') return compareJson(expected.json, got.json, path);
  const [one, other] = [printSide(expected), printSide(got)];
  return expected.kind === got.kind && one === other ? [] : [{ path, expected: one, got: other }];
}

function compareHeaders(expected: readonly Header[], got: readonly Header[]): readonly Difference[] {
  const names = (headers: readonly Header[]): string => headers.map(([name]) => name).join(', ') || '(none)';
  if (names(expected) !== names(got)) return [{ path: 'headers', expected: names(expected), got: names(got) }];
  return expected.flatMap(([name, text], index) => compareJson(text, got[index]?.[1] ?? null, step('headers', name)));
}

/** Everything of two records that stand in the same place of their topic, but for their offsets. */
export function compareRecordPair(expected: GoldenRecord, got: GoldenRecord): readonly Difference[] {
  const partition =
    expected.partition === got.partition ? [] : [{ path: 'partition', expected: String(expected.partition), got: String(got.partition) }];
  return [
    ...partition,
    ...compareSides(expected.key, got.key, 'key'),
    ...compareSides(expected.value, got.value, 'value'),
    ...compareHeaders(expected.headers, got.headers),
  ];
}

/** Equal for records that are equal but for what varies. */
export function signature({ partition, key, value, headers }: GoldenRecord): string {
  return `${partition} ${printSide(key)} ${printSide(value)} ${printJson(headers)}`;
}
