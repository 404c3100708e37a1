/*
 * The worker's own topics, as compaction leaves them: the last record of each key. How often a state or an offset was
 * written in between is a matter of clocks.
 */
import { compareJson, type PlacedDifference } from './differences.ts';
import type { GoldenRecord } from './golden-record.ts';
import { isList, JsonNumber, JsonObject, parseJson, printJson, type Json } from './lossless-json.ts';
import type { Scenario } from './scenario.ts';

/** Key and value of a topic, as text. */
export type CompactedTopic = ReadonlyMap<string, string>;

/** Of another server, worker or moment; that they are there, and of which type, still counts. */
const ofOneRun = new Set([
  'ts_sec',
  'file',
  'pos',
  'gtids',
  'server_id',
  'transaction_id',
  'worker_id',
  'generation',
  'discoverTimestamp',
  // How far an incremental snapshot has come; that these are serialized keys: src/mysql/signals/incremental-offset.test.ts.
  'incremental_snapshot_primary_key',
  'incremental_snapshot_maximum_key',
]);
const ofOneServer = new Set([
  'database.hostname',
  'database.port',
  'database.user',
  'database.password',
  'database.server.id',
  // Not of the recording.
  'millrace.compat',
]);

function blank(value: Json): Json {
  if (value instanceof JsonNumber) return '<number>';
  return typeof value === 'string' ? '<text>' : value;
}

/** Members in one order: the original's is that of a hash table. */
function canonical(value: Json): Json {
  if (isList(value)) return value.map(canonical);
  if (!(value instanceof JsonObject)) return value;
  const members = value.members
    .filter(([name]) => !ofOneServer.has(name))
    .map(([name, member]): readonly [string, Json] => {
      if (name === 'trace') return [name, member === null ? null : '<trace>'];
      return [name, ofOneRun.has(name) ? blank(member) : canonical(member)];
    });
  return new JsonObject(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function lastOfEachKey(lines: readonly string[]): ReadonlyMap<string, Json> {
  const last = new Map<string, Json>();
  for (const line of lines) {
    const record = parseJson(line);
    if (!(record instanceof JsonObject)) continue;
    const key = record.get('key') ?? null;
    const text = typeof key === 'string' ? key : printJson(key);
    const value = record.get('value') ?? null;
    if (value === null) last.delete(text);
    else last.set(text, value);
  }
  return last;
}

/** One of the worker's topics; `ours` may hold records of other connectors. */
export function compareInternalTopic(
  topic: string,
  recordedLines: readonly string[],
  { connectorName, ours }: { readonly connectorName: string; readonly ours: CompactedTopic },
): readonly PlacedDifference[] {
  const recorded = lastOfEachKey(recordedLines);
  const own = new Map([...ours].filter(([key]) => key.includes(connectorName)));
  const place = { topic, path: 'record' };
  const differences = [...recorded].flatMap(([key, value]): readonly PlacedDifference[] => {
    const text = own.get(key);
    if (text === undefined) return [{ ...place, record: key, expected: printJson(value), got: '(missing)' }];
    return compareJson(canonical(value), canonical(parseJson(text)), 'value').map((each) => ({ topic, record: key, ...each }));
  });
  for (const [key, value] of own) {
    if (!recorded.has(key)) differences.push({ ...place, record: key, expected: '(no such key)', got: value });
  }
  return differences;
}

/** What the worker answered about offsets at the marks. */
export function compareOffsets({ restOffsets }: Scenario, ours: Scenario['restOffsets']): readonly PlacedDifference[] {
  const json = (value: unknown): Json => canonical(parseJson(JSON.stringify(value ?? null)));
  return restOffsets.flatMap((recorded, index) =>
    compareJson(json(recorded), json(ours[index]), 'offsets').map((each) => ({ topic: '', record: recorded.after ?? '', ...each })),
  );
}

/** The schema history: every record of it in order, but for positions and clocks. Its text is spread over lines, which say nothing. */
export function compareHistory(
  topic: string,
  recordedLines: readonly string[],
  ours: readonly GoldenRecord[],
): readonly PlacedDifference[] {
  const recorded = recordedLines.map((line) => withoutPlaces(memberOf(parseJson(line), 'value')));
  const own = ours.map(({ value }) => withoutPlaces(value.kind === 'json' ? value.json : null));
  return Array.from({ length: Math.max(recorded.length, own.length) }, (_, index) => {
    const place = { topic, record: `record ${index + 1}` };
    const [expected, got] = [recorded[index], own[index]];
    if (expected === undefined || got === undefined) {
      const [first, second] = [expected ?? '(no such record)', got ?? '(missing)'].map((side) =>
        typeof side === 'string' ? side : printJson(side),
      );
      return [{ ...place, path: 'value', expected: first ?? '', got: second ?? '' }];
    }
    return compareJson(expected, got, 'value').map((each) => ({ ...place, ...each }));
  }).flat();
}

function memberOf(value: Json, name: string): Json {
  return value instanceof JsonObject ? (value.get(name) ?? null) : null;
}

function withoutPlaces(value: Json): Json {
  if (!(value instanceof JsonObject)) return value;
  return value.map((member, name) => {
    if (name === 'ts_ms') return blank(member);
    return name === 'position' && member instanceof JsonObject
      ? member.map((each, own) => (ofOneRun.has(own) ? blank(each) : each))
      : member;
  });
}
