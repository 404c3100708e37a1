/** Compares the records of a run with a recording; see varying.ts and relations.ts for what is not compared as it is. */
import { compareRecordPair, signature, type PlacedDifference } from './differences.ts';
import { mapPayload, payloadOf, printSide, type GoldenRecord } from './golden-record.ts';
import { lineUp, type Item } from './line-up.ts';
import { isList, JsonObject, printJson, type Json } from './lossless-json.ts';
import { compareRelations, type RecordPair } from './relations.ts';
import type { Scenario } from './scenario.ts';
import { markVarying, type MarkedRecord } from './varying.ts';

export interface CompareOptions {
  /** The recorded task failed where ours goes on: what comes after counts as no difference. */
  readonly extraAtEnd?: boolean;
}

/**
 * The differences, topic by topic in offset order. Offsets may have gaps, and the order of records of different topics
 * counts where their positions tell it.
 */
export function compareRecords(
  scenario: Scenario,
  ours: readonly GoldenRecord[],
  { extraAtEnd = false }: CompareOptions = {},
): readonly PlacedDifference[] {
  const differences: PlacedDifference[] = [];
  const pairs: RecordPair[] = [];
  const [recorded, got] = [byTopic(scenario, scenario.records), byTopic(scenario, ours)];
  for (const topic of new Set([...recorded.keys(), ...got.keys()].toSorted())) {
    const [expected, here] = [recorded.get(topic) ?? [], got.get(topic) ?? []];
    const place = { topic, record: '', path: 'topic' };
    differences.push(...repeatedOffsets(topic, here));
    if (isLoose(scenario, topic, [...expected, ...here])) differences.push(...compareKinds(scenario, topic, { expected, got: here }));
    else if (expected.length === 0 && extraAtEnd) continue;
    else if (expected.length === 0) differences.push({ ...place, expected: '(no such topic)', got: `${here.length} records` });
    else if (here.length === 0) differences.push({ ...place, expected: `${expected.length} records`, got: '(no such topic)' });
    else {
      const compared = compareTopic(topic, expected, { got: here, extraAtEnd });
      differences.push(...compared.differences);
      pairs.push(...compared.pairs);
    }
  }
  const relations = compareRelations(pairs, {
    readOnlySignals: scenario.connector['read.only'] === 'true',
    positionsOfTransactions: scenario.flavor === 'mariadb',
  });
  return [...differences, ...relations];
}

function byTopic(scenario: Scenario, records: readonly GoldenRecord[]): ReadonlyMap<string, readonly MarkedRecord[]> {
  const { connector } = scenario;
  const own = new Set<Json | undefined>(['', ...scenario.databases]);
  const ownOnly = connector['schema.history.internal.store.only.captured.databases.ddl'] === 'true';
  // With all databases in the schema history those of other scenarios on the server show up here.
  const kept = records.filter((record) => {
    const payload = record.topic === scenario.prefix ? payloadOf(record.value) : undefined;
    return ownOnly || !(payload instanceof JsonObject) || !payload.has('ddl') || own.has(payload.get('databaseName'));
  });
  const marked = kept.map((record) => markVarying(record, scenario.heartbeatTopic));
  const topics = Map.groupBy(marked, (record) => record.topic);
  for (const list of topics.values()) list.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  return topics;
}

function repeatedOffsets(topic: string, records: readonly MarkedRecord[]): readonly PlacedDifference[] {
  return records.flatMap(({ partition, offset }, index) => {
    const before = records[index - 1];
    if (before?.partition !== partition || before.offset !== offset) return [];
    return [{ topic, record: `offset ${offset}`, path: 'offset', expected: 'one record', got: 'two with this offset' }];
  });
}

interface TopicComparison {
  readonly differences: readonly PlacedDifference[];
  readonly pairs: readonly RecordPair[];
}

function compareTopic(
  topic: string,
  expected: readonly MarkedRecord[],
  { got, extraAtEnd }: { readonly got: readonly MarkedRecord[]; readonly extraAtEnd: boolean },
): TopicComparison {
  const differences: PlacedDifference[] = [];
  const pairs: RecordPair[] = [];
  const [recorded, ours] = [expected.map(itemOf), got.map(itemOf)];
  const line = lineUp(recorded, ours);
  for (const [i, j] of line.pairs) {
    const [one, other] = [expected[i], got[j]];
    if (one === undefined || other === undefined) continue;
    const record = i === j ? `record ${i + 1}` : `record ${i + 1} (ours ${j + 1})`;
    pairs.push({ expected: one, got: other, topic, record });
    if (recorded[i]?.whole === ours[j]?.whole) continue;
    differences.push(...compareRecordPair(one, other).map((each) => ({ topic, record, ...each })));
  }
  const lastPaired = Math.max(-1, ...line.pairs.map(([, j]) => j));
  const extra = new Set(line.extra.filter((j) => !extraAtEnd || j < lastPaired));
  for (const i of line.missing) {
    const elsewhere = [...extra].find((j) => ours[j]?.whole === recorded[i]?.whole);
    const place = { topic, record: `record ${i + 1}`, path: 'record', expected: show(expected[i]) };
    if (elsewhere === undefined) differences.push({ ...place, got: '(missing)' });
    else differences.push({ ...place, got: `it comes as record ${elsewhere + 1}: another order` });
    if (elsewhere !== undefined) extra.delete(elsewhere);
  }
  for (const j of extra) {
    differences.push({ topic, record: `our record ${j + 1}`, path: 'record', expected: '(no such record)', got: show(got[j]) });
  }
  return { differences, pairs };
}

/** It is about a statement, or an operation on a row: keys may be of one run. */
function itemOf(record: MarkedRecord): Item {
  const payload = payloadOf(record.raw.value);
  const member = (name: string): Json => (payload instanceof JsonObject ? (payload.get(name) ?? null) : null);
  const ddl = member('ddl');
  return { whole: signature(record), about: typeof ddl === 'string' ? ddl : printJson(member('op')) };
}

function show(record: MarkedRecord | undefined): string {
  if (record === undefined) return '';
  const payload = payloadOf(record.raw.value);
  return `key ${printJson(payloadOf(record.raw.key) ?? null)} value ${payload === undefined ? printSide(record.raw.value) : printJson(payload)}`;
}

/** Topics of which `scenario.ignore` says that the number of their records is no matter of the connector. */
function isLoose({ ignore, heartbeatTopic, connector }: Scenario, topic: string, records: readonly MarkedRecord[]): boolean {
  if (ignore.includes('heartbeat')) return topic === heartbeatTopic;
  if (!ignore.includes('how many rows')) return false;
  const signalTable = connector['signal.data.collection'];
  return (signalTable !== undefined && topic.endsWith(`.${signalTable}`)) || records.some((record) => record.what === 'incremental');
}

interface TwoSides {
  readonly expected: readonly MarkedRecord[];
  readonly got: readonly MarkedRecord[];
}

/** Of such topics: which kinds of records there are. */
function compareKinds({ connector }: Scenario, topic: string, { expected, got }: TwoSides): readonly PlacedDifference[] {
  const isSignalTable = topic.endsWith(`.${connector['signal.data.collection']}`);
  const kinds = (records: readonly MarkedRecord[]): ReadonlyMap<string, MarkedRecord> =>
    new Map(records.map((record) => [record.what === 'heartbeat' ? signature(record) : signature(kindOf(record, isSignalTable)), record]));
  const [recorded, ours] = [kinds(expected), kinds(got)];
  const only = (these: typeof recorded, those: typeof recorded): readonly string[] =>
    [...these].filter(([kind]) => !those.has(kind)).map(([, record]) => show(record));
  return [
    ...only(recorded, ours).map((text) => ({ topic, record: '', path: 'record', expected: text, got: '(no record of this kind)' })),
    ...only(ours, recorded).map((text) => ({ topic, record: '', path: 'record', expected: '(no record of this kind)', got: text })),
  ];
}

/** Operation, markers, schema, header names and the type of a signal; nothing of the rows. */
function kindOf(record: MarkedRecord, isSignalTable: boolean): MarkedRecord {
  const blank = (value: Json): Json => {
    if (value instanceof JsonObject) return value.map(blank);
    if (isList(value)) return [];
    return value === null ? null : '*';
  };
  const row = (value: Json): Json => {
    if (value === null) return null;
    return isSignalTable && value instanceof JsonObject ? (value.get('type') ?? '*') : '*';
  };
  const member = (value: Json, name: string): Json => {
    if (name === 'source' && value instanceof JsonObject) return value.map((each, own) => (own === 'row' ? '*' : each));
    if (name === 'op' || name === 'ddl' || name === 'status') return value;
    return name === 'before' || name === 'after' ? row(value) : blank(value);
  };
  return {
    ...record,
    key: mapPayload(record.key, blank),
    value: mapPayload(record.value, (payload) => (payload instanceof JsonObject ? payload.map(member) : payload)),
    headers: record.headers.map(([name]) => [name, '*']),
  };
}
