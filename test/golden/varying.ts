/*
 * What varies from run to run is found by its place, never by the name of a column in a row, and must have the shape that
 * it has in the recording: null stays null, a time keeps its number of digits, a server id 0 stays 0.
 */
import { mapPayload, payloadOf, type GoldenRecord, type Header, type Side } from './golden-record.ts';
import { isList, JsonNumber, JsonObject, Varying, type Json, type VaryingKind } from './lossless-json.ts';

/** What a record is, as far as the relations depend on it. */
export type RecordKind =
  | 'heartbeat'
  | 'transaction'
  | 'notification'
  | 'row'
  | 'ddl'
  | 'incremental'
  | 'snapshot row'
  | 'snapshot ddl'
  | 'flat'
  | 'other';

export interface MarkedRecord extends GoldenRecord {
  readonly what: RecordKind;
  readonly raw: GoldenRecord;
}

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const uuidPattern = new RegExp(`^${uuid}$`);
/** MySQL's `uuid:7` and `uuid:tag:7`, MariaDB's `0-1-7`. */
const gtidPattern = new RegExp(String.raw`^(?:${uuid}(?::[a-z_][a-z0-9_]*)?:\d+|\d+-\d+-\d+)$`);
const windowPattern = new RegExp(`^(${uuid})-(open|close)$`);
const isoTimePattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z/g;

type Shape = (text: string, isNumber: boolean) => string | undefined;

const digits =
  (shape: string): Shape =>
  (text, isNumber) =>
    isNumber && /^\d+$/.test(text) ? shape : undefined;
const shapes: Readonly<Record<VaryingKind, Shape>> = {
  time: (text, isNumber) => (isNumber && /^\d{10,19}$/.test(text) ? `${text.length} digits` : undefined),
  transaction: (text, isNumber) => (!isNumber && gtidPattern.test(text) ? 'GTID' : undefined),
  file: (text, isNumber) => (!isNumber && /\.\d{6,}$/.test(text) ? 'binlog file' : undefined),
  position: digits('position'),
  thread: digits('thread'),
  server: (text, isNumber) => (isNumber && /^\d+$/.test(text) ? (text === '0' ? '0' : 'server id') : undefined),
  uuid: (text, isNumber) => (!isNumber && uuidPattern.test(text) ? 'UUID' : undefined),
  run: (text, isNumber) => (!isNumber && uuidPattern.test(text) ? `UUID version ${text.charAt(14)}` : undefined),
};

/** What has not the shape of its kind stays as it is, and so is compared. */
function vary(kind: VaryingKind, value: Json): Json {
  const isNumber = value instanceof JsonNumber;
  if (!isNumber && typeof value !== 'string') return value;
  const text = isNumber ? value.text : value;
  const shape = shapes[kind](text, isNumber);
  return shape === undefined ? value : new Varying(kind, text, shape);
}

type Kinds = Readonly<Partial<Record<string, VaryingKind>>>;

const clockKinds: Kinds = { ts_ms: 'time', ts_us: 'time', ts_ns: 'time' };
const sourceKinds: Kinds = {
  ...clockKinds,
  file: 'file',
  pos: 'position',
  gtid: 'transaction',
  thread: 'thread',
  server_id: 'server',
};

function varyMembers(value: Json, kinds: Kinds): Json {
  if (!(value instanceof JsonObject)) return value;
  return value.map((member, name) => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    return kind === undefined ? member : vary(kind, member);
  });
}

/** A member that a transformation copied into a row: `__ts_ms`, `source_pos`, `__source_gtid`, `m.source_file`, `__transaction_id`. */
function kindOfCopy(name: string, isFlattened: boolean): VaryingKind | undefined {
  const [, ofSource] = /^(?:__|[a-z]+\.)?source[._](ts_ms|ts_us|ts_ns|file|pos|gtid|thread|server_id)$/.exec(name) ?? [];
  if (ofSource !== undefined) return sourceKinds[ofSource];
  const copy = /^(?:__|[a-z]+\.)(ts_ms|ts_us|ts_ns|transaction[._]id)$/.exec(name);
  const [, own] = copy ?? (isFlattened ? (/^(ts_ms|ts_us|ts_ns|transaction_id)$/.exec(name) ?? []) : []);
  if (own === undefined) return undefined;
  return own.startsWith('ts') ? 'time' : 'transaction';
}

/** The ids and times of a signal table's windows: `<uuid>-open`, `<uuid>-close`. */
function varyWindows(value: Json): Json {
  if (typeof value === 'string') {
    const [, id, end] = windowPattern.exec(value) ?? [];
    if (id !== undefined) return new Varying('uuid', id, `UUID-${end}`);
    return value.includes('WindowTimestamp') ? value.replace(isoTimePattern, '<time>') : value;
  }
  if (value instanceof JsonObject) return value.map(varyWindows);
  return isList(value) ? value.map(varyWindows) : value;
}

const headerTime = /(?:^|[._-])(?:source[._])?ts_(?:ms|us|ns)$/;
const headerTransaction = /(?:^|[._-])(?:transaction[._]id|source[._]gtid)$/;
const headerSource = /(?:^|[._-])source[._](file|pos|thread|server_id)$/;

function varyHeader(header: Header): Header {
  const [name, text] = header;
  if (typeof text !== 'string') return header;
  // JsonConverter writes a text with its quotes, and with schemas the schema before it.
  const [, inSchema] = /^\{"schema":.*,"payload":"?([^"]*)"?\}$/.exec(text) ?? [];
  const [, quoted] = /^"(.*)"$/.exec(text) ?? [];
  const inner = inSchema ?? quoted ?? text;
  const [, ofSource = ''] = headerSource.exec(name) ?? [];
  const kind = headerTime.test(name) ? 'time' : headerTransaction.test(name) ? 'transaction' : sourceKinds[ofSource];
  const varied = name.endsWith('runId')
    ? vary('run', inner)
    : kind === undefined
      ? text
      : vary(kind, /^\d+$/.test(inner) ? new JsonNumber(inner) : inner);
  return varied instanceof Varying ? [name, varied] : header;
}

function sortNames(value: Json, name: string): Json {
  return name === 'data_collections' && typeof value === 'string' ? value.split(',').toSorted().join(',') : value;
}

interface Marking {
  readonly what: RecordKind;
  readonly key: (payload: Json) => Json;
  readonly value: (payload: Json) => Json;
}

function markingOf(topic: string, payload: Json | undefined, heartbeatTopic: string): Marking {
  const same = (value: Json): Json => value;
  if (topic === heartbeatTopic) return { what: 'heartbeat', key: varyWindows, value: (value) => varyMembers(value, clockKinds) };
  if (!(payload instanceof JsonObject)) return { what: 'other', key: varyWindows, value: same };
  if (payload.has('event_count') && payload.has('status') && payload.has('data_collections')) {
    return {
      what: 'transaction',
      key: (value) => varyMembers(value, { id: 'transaction' }),
      value: (value) => varyMembers(value, { id: 'transaction', ts_ms: 'time' }),
    };
  }
  if (payload.has('aggregate_type') && payload.has('additional_data')) {
    return {
      what: 'notification',
      key: (value) => varyMembers(value, { id: 'uuid' }),
      value: (value) =>
        mapMember(varyMembers(value, { id: 'uuid', timestamp: 'time' }), 'additional_data', (data) => mapMembers(data, sortNames)),
    };
  }
  const source = payload.get('source');
  if (source instanceof JsonObject) {
    return {
      what: kindOfEvent(payload.has('ddl') ? 'ddl' : 'row', source.get('snapshot')),
      key: varyWindows,
      value(value) {
        const clocked = mapMember(varyMembers(value, clockKinds), 'source', (own) => varyMembers(own, sourceKinds));
        return varyWindows(mapMember(clocked, 'transaction', (transaction) => varyMembers(transaction, { id: 'transaction' })));
      },
    };
  }
  return {
    what: 'flat',
    key: varyWindows,
    value: (value) =>
      mapMembers(value, (member, name) => {
        const kind = kindOfCopy(name, payload.has('op'));
        return varyWindows(kind === undefined ? member : vary(kind, member));
      }),
  };
}

function kindOfEvent(own: 'row' | 'ddl', snapshot: Json | undefined): RecordKind {
  if (snapshot === 'incremental') return 'incremental';
  const isStreamed = snapshot === 'false' || snapshot === null || snapshot === undefined;
  return isStreamed ? own : `snapshot ${own}`;
}

function mapMembers(value: Json, change: (value: Json, name: string) => Json): Json {
  return value instanceof JsonObject ? value.map(change) : value;
}

function mapMember(value: Json, name: string, change: (value: Json) => Json): Json {
  return mapMembers(value, (member, each) => (each === name ? change(member) : member));
}

/** The record with the places that vary marked. */
export function markVarying(record: GoldenRecord, heartbeatTopic: string): MarkedRecord {
  const marking = markingOf(record.topic, payloadOf(record.value), heartbeatTopic);
  const mark = (side: Side, change: (payload: Json) => Json): Side => mapPayload(side, change);
  return {
    ...record,
    what: marking.what,
    key: mark(record.key, marking.key),
    value: mark(record.value, marking.value),
    headers: record.headers.map(varyHeader),
    raw: record,
  };
}
