import { MillraceError } from '../base/errors.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import type { Cursor } from './cursor.ts';

/**
 * Sorted, disjoint, non-adjacent ranges as `first, pastLast, first, pastLast, …`: flat, since the stream appends to
 * the last one for every transaction.
 */
type Ranges = number[];

/** One past the greatest transaction number that is kept; the server allows 2^63 - 2, which no server reaches. */
const gnoLimit = Number.MAX_SAFE_INTEGER;
const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/i;
const rangePattern = /^(\d+)(?:-(\d+))?$/;

/**
 * A set of MySQL's global transaction ids, mutable. A *source* is what the server calls TSID: a lower-case UUID, or
 * `uuid:tag` for the tagged ids of MySQL 8.3 and newer.
 *
 * Text form, as in `@@gtid_executed`: `uuid:1-5:7,uuid:1:tag:1-3` (tags of a UUID follow it, in order).
 * Source: mysql-server, sql/rpl_gtid_set.cc; manual "GTID Format and Storage".
 */
export class GtidSet {
  readonly #sources = new Map<string, Ranges>();
  #lastSource = '';
  #lastRanges: Ranges | undefined;

  /** Reads the text form; white space anywhere between items is allowed. Throws CONFIG_INVALID. */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.split(',')) {
      const items = part.split(':').map((item) => item.trim());
      const uuid = items[0] ?? '';
      if (uuid === '' && items.length === 1) continue;
      if (!uuidPattern.test(uuid)) throw malformed(text, `"${uuid}" is no UUID`);
      set.#parseUuidPart(text, formatUuidText(uuid), items);
    }
    return set;
  }

  #parseUuidPart(text: string, uuid: string, items: readonly string[]): void {
    let source = uuid;
    for (let i = 1; i < items.length; i++) {
      const item = items[i] ?? '';
      const range = rangePattern.exec(item);
      if (range !== null) {
        const first = Number(range[1]);
        const last = range[2] === undefined ? first : Number(range[2]);
        if (first < 1 || last >= gnoLimit) throw malformed(text, `"${item}" is out of range`);
        // The server takes a range that ends before it starts for an empty one.
        if (last >= first) this.addRange(source, first, last);
      } else if (tagPattern.test(item)) {
        source = `${uuid}:${item.toLowerCase()}`;
      } else {
        throw malformed(text, `"${item}" is neither a number, a range nor a tag`);
      }
    }
  }

  /**
   * Reads the binary form, from PREVIOUS_GTIDS events.
   *
   *   8  number of sources, the format code 0 in the top byte;
   *      tagged: code 1 in the lowest and in the top byte, the number in the six between
   *   for each source:
   *     16  UUID
   *     1+n tag (format 1 only): length × 2, characters
   *     8   number of ranges
   *     8+8 first, one past last, for each range
   *
   * Source: mysql-server, sql/rpl_gtid_set.cc, Gtid_set::add_gtid_encoding and decode_nsids_format.
   */
  static decode(cursor: Cursor): GtidSet {
    const set = new GtidSet();
    const low = cursor.uint32();
    const high = cursor.uint32();
    const format = high >>> 24;
    if (format > 1) throw new MillraceError('BINLOG_UNSUPPORTED', `a GTID set of format ${format}`);
    const count = format === 0 ? low + (high & 0xff_ffff) * 0x1_0000_0000 : (low >>> 8) + (high & 0xff_ffff) * 0x100_0000;
    for (let i = 0; i < count; i++) {
      let source = formatUuid(cursor.view(16), 0);
      if (format === 1) {
        const tag = cursor.text(cursor.uint8() >>> 1);
        if (tag !== '') source += `:${tag}`;
      }
      const ranges = cursor.uint64();
      for (let j = 0; j < ranges; j++) {
        const first = cursor.uint64();
        const pastLast = cursor.uint64();
        if (first < 1 || pastLast <= first) throw cursor.corrupt(`GTID range ${first} to ${pastLast}`);
        set.addRange(source, first, pastLast - 1);
      }
    }
    return set;
  }

  /** The binary form (see `decode`), as COM_BINLOG_DUMP_GTID sends it; tagged only if there are tags. */
  encode(): Uint8Array<ArrayBuffer> {
    const sources = this.#sorted();
    const tagged = sources.some(([source]) => source.length > 36);
    const writer = new ByteWriter(256);
    if (tagged) {
      writer.uint8(1);
      uint32(writer, sources.length);
      writer.uint8(0);
      writer.uint8(0);
      writer.uint8(1);
    } else {
      uint64(writer, sources.length);
    }
    for (const [source, ranges] of sources) {
      const uuid = Buffer.from(source.slice(0, 36).replaceAll('-', ''), 'hex');
      writer.raw(uuid, 0, 16);
      if (tagged) {
        const tag = Buffer.from(source.slice(37), 'latin1');
        writer.uint8(tag.length * 2);
        writer.raw(tag, 0, tag.length);
      }
      uint64(writer, ranges.length / 2);
      for (const bound of ranges) uint64(writer, bound);
    }
    return writer.toBytes();
  }

  /** Adds one transaction; constant time when it continues the source's last range. */
  add(source: string, gno: number): void {
    const ranges = this.#rangesOf(source);
    const last = ranges.length - 1;
    if (ranges[last] === gno) ranges[last] = gno + 1;
    else insert(ranges, gno, gno + 1);
  }

  /** Adds the transactions `first` to `last`, both included. */
  addRange(source: string, first: number, last: number): void {
    insert(this.#rangesOf(source), first, last + 1);
  }

  /** Adds all of another set. */
  addSet(other: GtidSet): void {
    for (const [source, ranges] of other.#sources) {
      const own = this.#rangesOf(source);
      for (let i = 0; i < ranges.length; i += 2) insert(own, ranges[i] ?? 0, ranges[i + 1] ?? 0);
    }
  }

  has(source: string, gno: number): boolean {
    const ranges = this.#sources.get(source);
    return ranges !== undefined && covered(ranges, gno, gno + 1);
  }

  /** Whether every transaction of `other` is in this set. */
  contains(other: GtidSet): boolean {
    for (const [source, ranges] of other.#sources) {
      const own = this.#sources.get(source) ?? [];
      for (let i = 0; i < ranges.length; i += 2) {
        if (!covered(own, ranges[i] ?? 0, ranges[i + 1] ?? 0)) return false;
      }
    }
    return true;
  }

  equals(other: GtidSet): boolean {
    return this.contains(other) && other.contains(this);
  }

  /** A new set with what is in either. */
  union(other: GtidSet): GtidSet {
    const result = this.clone();
    result.addSet(other);
    return result;
  }

  /** A new set with what is in this one and not in `other`. */
  subtract(other: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const [source, ranges] of this.#sources) {
      const rest = difference(ranges, other.#sources.get(source) ?? []);
      if (rest.length > 0) result.#sources.set(source, rest);
    }
    return result;
  }

  clone(): GtidSet {
    const result = new GtidSet();
    for (const [source, ranges] of this.#sources) result.#sources.set(source, ranges.slice());
    return result;
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** How many transactions the set holds. */
  get count(): number {
    let count = 0;
    for (const ranges of this.#sources.values()) {
      for (let i = 0; i < ranges.length; i += 2) count += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
    }
    return count;
  }

  /** The sources (`uuid` or `uuid:tag`), in the order of the text form. */
  get sources(): readonly string[] {
    return this.#sorted().map(([source]) => source);
  }

  /** The text form, in the server's order, without white space. */
  toString(): string {
    let text = '';
    let lastUuid = '';
    for (const [source, ranges] of this.#sorted()) {
      const uuid = source.slice(0, 36);
      if (uuid === lastUuid) text += source.slice(36);
      else text += text === '' ? source : `,${source}`;
      lastUuid = uuid;
      for (let i = 0; i < ranges.length; i += 2) {
        const first = ranges[i] ?? 0;
        const last = (ranges[i + 1] ?? 0) - 1;
        text += first === last ? `:${first}` : `:${first}-${last}`;
      }
    }
    return text;
  }

  toJSON(): string {
    return this.toString();
  }

  #sorted(): [string, Ranges][] {
    // Lower-case hex sorts as the bytes do, and "uuid" sorts before "uuid:tag".
    return [...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #rangesOf(source: string): Ranges {
    if (this.#lastRanges !== undefined && source === this.#lastSource) return this.#lastRanges;
    let ranges = this.#sources.get(source);
    if (ranges === undefined) this.#sources.set(source, (ranges = []));
    this.#lastSource = source;
    this.#lastRanges = ranges;
    return ranges;
  }
}

/** The UUID at `bytes[at, at + 16)` in its text form, lower case. */
export function formatUuid(bytes: Uint8Array, at: number): string {
  return formatUuidText(Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString('hex'));
}

function formatUuidText(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The index of the first range that ends at or after `value`: the first that could touch a range starting there. */
function firstEndingFrom(ranges: Ranges, value: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle * 2 + 1] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

/** Adds `[first, pastLast)`, merging what it touches. */
function insert(ranges: Ranges, first: number, pastLast: number): void {
  const from = firstEndingFrom(ranges, first);
  let to = from;
  let start = first;
  let end = pastLast;
  while (to < ranges.length && (ranges[to] ?? 0) <= pastLast) {
    start = Math.min(start, ranges[to] ?? 0);
    end = Math.max(end, ranges[to + 1] ?? 0);
    to += 2;
  }
  ranges.splice(from, to - from, start, end);
}

function covered(ranges: Ranges, first: number, pastLast: number): boolean {
  const at = firstEndingFrom(ranges, pastLast);
  return at < ranges.length && (ranges[at] ?? 0) <= first;
}

function difference(ranges: Ranges, without: Ranges): Ranges {
  const rest: Ranges = [];
  let j = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    let first = ranges[i] ?? 0;
    const pastLast = ranges[i + 1] ?? 0;
    while (j < without.length && (without[j + 1] ?? 0) <= first) j += 2;
    for (let k = j; k < without.length && (without[k] ?? 0) < pastLast; k += 2) {
      if ((without[k] ?? 0) > first) rest.push(first, without[k] ?? 0);
      first = Math.max(first, without[k + 1] ?? 0);
    }
    if (first < pastLast) rest.push(first, pastLast);
  }
  return rest;
}

function uint32(writer: ByteWriter, value: number): void {
  writer.reserve(4);
  writer.view.setUint32(writer.length, value, true);
  writer.length += 4;
}

function uint64(writer: ByteWriter, value: number): void {
  uint32(writer, value % 0x1_0000_0000);
  uint32(writer, Math.floor(value / 0x1_0000_0000));
}

function malformed(text: string, why: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', `not a GTID set: ${why} in "${text}"`);
}
