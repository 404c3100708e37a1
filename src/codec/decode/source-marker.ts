import type { JsonReader } from './json-reader.ts';
import { MemberFinder, noValue } from './row-reader.ts';

/** What a record's `source` block says of where the change comes from. */
export interface SourceMarker {
  database: string;
  table: string;
  /** `true`, `first`, `first_in_data_collection`, `last_in_data_collection`, `last`, `incremental`; `false` while streaming. */
  snapshot: string;
  file: string;
  pos: number;
  row: number;
  gtid: string;
  /** Microseconds since the epoch at which the source committed. */
  micros: number;
}

const places = { db: 0, table: 1, snapshot: 2, file: 3, pos: 4, row: 5, gtid: 6, ts_ms: 7, ts_us: 8 } as const;
const members = [
  { name: 'version', place: -1 },
  { name: 'connector', place: -1 },
  { name: 'name', place: -1 },
  { name: 'ts_ms', place: places.ts_ms },
  { name: 'snapshot', place: places.snapshot },
  { name: 'db', place: places.db },
  { name: 'sequence', place: -1 },
  { name: 'ts_us', place: places.ts_us },
  { name: 'ts_ns', place: -1 },
  { name: 'table', place: places.table },
  { name: 'server_id', place: -1 },
  { name: 'gtid', place: places.gtid },
  { name: 'file', place: places.file },
  { name: 'pos', place: places.pos },
  { name: 'row', place: places.row },
  { name: 'thread', place: -1 },
  { name: 'query', place: -1 },
] as const;

/** Reads source blocks; the one marker is valid until the next call. */
export class MarkerReader {
  readonly #finder = new MemberFinder(members, 9);
  readonly #marker: SourceMarker = { database: '', table: '', snapshot: 'false', file: '', pos: 0, row: 0, gtid: '', micros: 0 };
  /** Texts that are mostly the same from record to record. */
  readonly #texts = ['', '', '', '', '', '', ''];
  readonly #lengths = new Int32Array(7);

  /** The block at the cursor. */
  read(reader: JsonReader): SourceMarker {
    const finder = this.#finder;
    finder.find(reader);
    const { at } = reader;
    const marker = this.#marker;
    marker.database = this.#text(reader, places.db);
    marker.table = this.#text(reader, places.table);
    marker.snapshot = this.#text(reader, places.snapshot) || 'false';
    marker.file = this.#text(reader, places.file);
    marker.gtid = this.#text(reader, places.gtid);
    marker.pos = this.#number(reader, places.pos);
    marker.row = this.#number(reader, places.row);
    const micros = this.#number(reader, places.ts_us);
    marker.micros = micros === 0 ? this.#number(reader, places.ts_ms) * 1000 : micros;
    reader.at = at;
    return marker;
  }

  #text(reader: JsonReader, place: number): string {
    const start = this.#finder.starts[place] ?? noValue.missing;
    if (start < 0) return '';
    const { bytes } = reader;
    // the same bytes as last time are the same text
    const last = this.#texts[place] ?? '';
    const length = this.#lengths[place] ?? 0;
    if (length > 0 && bytes[start + length + 1] === 0x22 && sameText(bytes, start + 1, last)) return last;
    reader.at = start;
    const text = bytes[start] === 0x22 ? reader.text() : reader.token();
    this.#texts[place] = text;
    this.#lengths[place] = reader.at - start - 2 === text.length ? text.length : 0;
    return text;
  }

  #number(reader: JsonReader, place: number): number {
    const start = this.#finder.starts[place] ?? noValue.missing;
    if (start < 0) return 0;
    reader.at = start;
    return reader.integer() ?? 0;
  }
}

function sameText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
