import { Framer } from '../../codec/decode/record-frame.ts';
import { JsonReader } from '../../codec/decode/json-reader.ts';
import { MemberFinder } from '../../codec/decode/row-reader.ts';
import { MarkerReader } from '../../codec/decode/source-marker.ts';
import type { TopicRecord } from './record-lines.ts';

/** A record with its place in the order in which the source's connector wrote the records of all topics. */
export interface PlacedRecord {
  readonly from: TopicRecord;
  readonly file: string;
  readonly pos: number;
  /** Transaction of the source; empty: of none. */
  readonly gtid: string;
  /** Microseconds since the epoch at which the source committed. */
  readonly micros: number;
}

interface Place {
  readonly file: number;
  readonly pos: number;
  /** Rows of a snapshot come before what the binlog has at their position. */
  readonly streamed: number;
  readonly micros: number;
}

const last: Place = { file: Infinity, pos: 0, streamed: 1, micros: 0 };
const first: Place = { file: 0, pos: 0, streamed: 0, micros: 0 };

const places = { source: 0, position: 1, ts_us: 2, ts_ms: 3 } as const;
const members = (['source', 'position', 'ts_us', 'ts_ms'] as const).map((name) => ({ name, place: places[name] }));

/**
 * Puts records of several topics into the order of the binlog positions in their `source` blocks; records of one topic keep
 * theirs. Records that name no position (tombstones, rows without an envelope) follow the one before them in their topic, and, at
 * the head of a topic, come behind all schema changes.
 */
export function orderBySource(records: readonly TopicRecord[]): readonly PlacedRecord[] {
  const ranked = [...Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`).values()].flatMap((ofTopic) => rank(ofTopic));
  ranked.sort((a, b) => comparePlaces(a.place, b.place));
  return ranked.map(({ placed }) => placed);
}

function rank(records: readonly TopicRecord[]): { readonly place: Place; readonly placed: PlacedRecord }[] {
  const framer = new Framer(undefined);
  const finder = new MemberFinder(members, 4);
  const markers = new MarkerReader();
  let before: { place: Place; placed: PlacedRecord } | undefined;
  return records.map((from) => {
    const found = findPlace(from, { framer, finder, markers });
    const place = found?.place ?? before?.place ?? last;
    const placed = found?.placed ?? { ...(before?.placed ?? { file: '', pos: 0, gtid: '', micros: 0 }), from };
    before = { place: comparePlaces(place, before?.place ?? first) < 0 ? (before?.place ?? first) : place, placed };
    return before;
  });
}

interface Readers {
  readonly framer: Framer;
  readonly finder: MemberFinder;
  readonly markers: MarkerReader;
}

function findPlace(from: TopicRecord, { framer, finder, markers }: Readers): { place: Place; placed: PlacedRecord } | undefined {
  if (from.record.value === null) return undefined;
  const { bytes, start, end } = framer.frame(from.record.value);
  const reader = new JsonReader(bytes, start, end);
  if (reader.peek() !== 0x7b) return undefined;
  finder.find(reader);
  const numberAt = (at: number): number => {
    if (at < 0) return 0;
    reader.at = at;
    return reader.integer() ?? 0;
  };
  const [source = -1, position = -1, tsUs = -1, tsMs = -1] = finder.starts;
  const at = position >= 0 ? position : source;
  if (at < 0 || bytes[at] !== 0x7b) return undefined;
  const written = tsUs >= 0 ? numberAt(tsUs) : numberAt(tsMs) * 1000;
  reader.at = at;
  const { file, pos, gtid, snapshot, micros } = markers.read(reader);
  if (file === '') return undefined;
  const place = {
    file: Number(/(\d+)$/.exec(file)?.[1] ?? 0),
    pos,
    streamed: snapshot === 'false' || snapshot === 'incremental' ? 1 : 0,
    micros: written,
  };
  return { place, placed: { from, file, pos, gtid, micros } };
}

function comparePlaces(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file - b.file;
  return a.pos - b.pos || a.streamed - b.streamed || (a.streamed === 0 ? a.micros - b.micros : 0);
}
