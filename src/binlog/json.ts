import { ByteWriter } from '../base/byte-writer.ts';
import { columnType } from './column-types.ts';
import { uint32At } from './cursor.ts';
import { damagedJson, variableLength, variableLengthSize, writeOpaque } from './json-opaque.ts';
import { appendAscii, longestNumber, writeDigits, writeDouble, writeInt64 } from './number-text.ts';

/** Types of values in MySQL's binary JSON. Source: mysql-server, sql-common/json_binary.cc, JSONB_TYPE_*. */
const jsonType = {
  smallObject: 0x00,
  largeObject: 0x01,
  smallArray: 0x02,
  largeArray: 0x03,
  literal: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  double: 0x0b,
  string: 0x0c,
  opaque: 0x0f,
} as const;

/** The server refuses to store more than 100 levels. */
const deepest = 128;

/**
 * Appends the document `source[start, end)` of a JSON column, in MySQL's binary format, as JSON text: the bytes that
 * `CAST(column AS CHAR CHARACTER SET utf8mb4)` gives, in spacing, order of keys, escapes and form of numbers.
 * A document is a type byte and a value.
 *
 * @throws BINLOG_CORRUPT when an offset or length leads out of the document
 * Source: mysql-server, sql-common/json_binary.h and json_dom.cc, wrapper_to_string.
 */
export function writeJsonText(source: Uint8Array, start: number, end: number, target: ByteWriter): void {
  if (end > source.length || start > end) throw damagedJson('it ends before it begins');
  // The server writes no bytes at all where a NOT NULL column got no value (INSERT IGNORE); it reads that as null.
  if (start === end) {
    appendAscii(target, 'null');
    return;
  }
  writer.write(source, start, end, target);
}

/**
 * The same with a tab before each value that is printed as something else than it is, and before doubles: a reader of the
 * text cannot know a TIME from a string that looks like one. To JSON the tab is nothing.
 */
export function writeMarkedJsonText(source: Uint8Array, start: number, end: number, target: ByteWriter): void {
  writer.marks = true;
  try {
    writeJsonText(source, start, end, target);
  } finally {
    writer.marks = false;
  }
}

/** For each byte what is written behind a backslash instead of it: 0 the byte itself, `u` a \u00xx escape. */
const escapes = new Uint8Array(256);
escapes.fill(0x75, 0, 0x20);
escapes[0x08] = 0x62;
escapes[0x09] = 0x74;
escapes[0x0a] = 0x6e;
escapes[0x0c] = 0x66;
escapes[0x0d] = 0x72;
escapes[0x22] = 0x22;
escapes[0x5c] = 0x5c;

const nothing = new Uint8Array(0);
const literals = [Buffer.from('null'), Buffer.from('true'), Buffer.from('false')] as const;

/**
 * Writes one document after another; there is one of it, so that nothing is allocated for a document. It writes into the
 * target's bytes directly and gives the length back at the end.
 */
class TextWriter {
  marks = false;
  #source: Uint8Array = nothing;
  #target = new ByteWriter(64);
  #bytes: Uint8Array = nothing;
  /** The next byte to write. */
  #to = 0;
  /**
   * Where the text ends at the latest: no valid document's text is longer. Without it a damaged one, whose offsets lead
   * to the same bytes again and again, could be written for ever.
   */
  #limit = 0;

  write(source: Uint8Array, start: number, end: number, target: ByteWriter): void {
    this.#source = source;
    this.#target = target;
    this.#bytes = target.bytes;
    this.#to = target.length;
    this.#limit = target.length + (end - start) * 6 + 64;
    this.#room(end - start + 64);
    this.#value(source[start] ?? 0, start + 1, end, 0);
    target.length = this.#to;
    this.#source = nothing;
  }

  #value(type: number, at: number, end: number, depth: number): void {
    switch (type) {
      case jsonType.smallObject:
      case jsonType.smallArray:
        this.#small(type === jsonType.smallObject, at, end, depth);
        return;
      case jsonType.largeObject:
      case jsonType.largeArray:
        this.#large(type === jsonType.largeObject, at, end, depth);
        return;
      case jsonType.string: {
        let length = this.#source[at] ?? 0;
        let from = at + 1;
        if (length > 0x7f) {
          length = variableLength(this.#source, at, end);
          from = at + variableLengthSize(length);
        }
        if (from + length > end) throw damagedJson('a string is longer than the document');
        this.#string(from, from + length);
        return;
      }
      case jsonType.opaque:
        this.#mark(this.#source[at] !== columnType.newdecimal);
        this.#target.length = this.#to;
        writeOpaque(this.#source, at, end, this.#target);
        this.#resume();
        return;
      default:
        this.#scalar(type, at, end);
    }
  }

  /**
   * Small objects and arrays.
   *
   *   2  number of elements
   *   2  bytes of the whole container, from here on
   *   4  for each key of an object: 2 its offset in the container, 2 its length
   *   3  for each value: its type, and 2 its offset in the container, or the value itself if it has room there
   *   …  keys, values
   */
  #small(isObject: boolean, at: number, end: number, depth: number): void {
    const source = this.#source;
    need(at, 4, end);
    const count = uint16At(source, at);
    const size = uint16At(source, at + 2);
    const stop = at + size;
    let key = at + 4;
    let entry = isObject ? key + count * 4 : key;
    if (stop > end || entry + count * 3 > stop) throw damagedJson('a container is longer than the document');
    this.#open(isObject ? 0x7b : 0x5b, depth);
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#separate(0x2c);
      if (isObject) {
        const from = uint16At(source, key);
        const length = uint16At(source, key + 2);
        if (from + length > size) throw damagedJson('a key lies outside of its object');
        this.#string(at + from, at + from + length);
        this.#separate(0x3a);
        key += 4;
      }
      const type = source[entry] ?? 0;
      if (type === jsonType.int16 || type === jsonType.literal || type === jsonType.uint16) {
        this.#scalar(type, entry + 1, stop);
      } else {
        const offset = uint16At(source, entry + 1);
        if (offset >= size) throw damagedJson('a value lies outside of its container');
        this.#value(type, at + offset, stop, depth + 1);
      }
      entry += 3;
    }
    this.#close(isObject ? 0x7d : 0x5d);
  }

  /** Large objects and arrays: as small ones, with 4 bytes for counts, sizes and offsets; keys still have 2 for their length. */
  #large(isObject: boolean, at: number, end: number, depth: number): void {
    const source = this.#source;
    need(at, 8, end);
    const count = uint32At(source, at);
    const size = uint32At(source, at + 4);
    const stop = at + size;
    let key = at + 8;
    let entry = isObject ? key + count * 6 : key;
    if (stop > end || entry + count * 5 > stop) throw damagedJson('a container is longer than the document');
    this.#open(isObject ? 0x7b : 0x5b, depth);
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#separate(0x2c);
      if (isObject) {
        const from = uint32At(source, key);
        const length = uint16At(source, key + 4);
        if (from + length > size) throw damagedJson('a key lies outside of its object');
        this.#string(at + from, at + from + length);
        this.#separate(0x3a);
        key += 6;
      }
      const type = source[entry] ?? 0;
      if (type >= jsonType.literal && type <= jsonType.uint32) {
        this.#scalar(type, entry + 1, stop);
      } else {
        const offset = uint32At(source, entry + 1);
        if (offset >= size) throw damagedJson('a value lies outside of its container');
        this.#value(type, at + offset, stop, depth + 1);
      }
      entry += 5;
    }
    this.#close(isObject ? 0x7d : 0x5d);
  }

  /** A value of fixed size; also one that stands in a container's entry instead of an offset. */
  #scalar(type: number, at: number, end: number): void {
    const source = this.#source;
    this.#room(longestNumber);
    switch (type) {
      case jsonType.literal: {
        need(at, 1, end);
        const text = literals[source[at] ?? 0];
        if (text === undefined) throw damagedJson(`literal ${source[at]}`);
        for (let i = 0; i < text.length; i++) this.#bytes[this.#to++] = text[i] ?? 0;
        return;
      }
      case jsonType.int16:
        need(at, 2, end);
        this.#integer((uint16At(source, at) << 16) >> 16);
        return;
      case jsonType.uint16:
        need(at, 2, end);
        this.#integer(uint16At(source, at));
        return;
      case jsonType.int32:
        need(at, 4, end);
        this.#integer(uint32At(source, at) | 0);
        return;
      case jsonType.uint32:
        need(at, 4, end);
        this.#integer(uint32At(source, at));
        return;
      case jsonType.int64:
      case jsonType.uint64: {
        need(at, 8, end);
        const high = uint32At(source, at + 4);
        this.#target.length = this.#to;
        writeInt64(this.#target, type === jsonType.int64 ? high | 0 : high, uint32At(source, at));
        this.#resume();
        return;
      }
      case jsonType.double:
        need(at, 8, end);
        this.#mark(true);
        this.#target.length = this.#to;
        writeDouble(this.#target, doubleAt(source, at));
        this.#resume();
        return;
      default:
        throw damagedJson(`a value of type ${type}`);
    }
  }

  #integer(value: number): void {
    const bytes = this.#bytes;
    let to = this.#to;
    if (value < 0) bytes[to++] = 0x2d;
    this.#to = writeDigits(bytes, to, value < 0 ? -value : value);
  }

  /** A string in quotes, escaped as the server does. Source: json_dom.cc, double_quote. */
  #string(from: number, stop: number): void {
    const source = this.#source;
    this.#room(stop - from + 8);
    const bytes = this.#bytes;
    let to = this.#to;
    bytes[to++] = 0x22;
    for (let at = from; at < stop; at++) {
      const byte = source[at] ?? 0;
      if (escapes[byte] !== 0) {
        this.#to = to;
        this.#escaped(at, stop);
        return;
      }
      bytes[to++] = byte;
    }
    bytes[to++] = 0x22;
    this.#to = to;
  }

  /** The rest of a string, from its first character that needs an escape. */
  #escaped(from: number, stop: number): void {
    const source = this.#source;
    this.#room((stop - from) * 6 + 8);
    const bytes = this.#bytes;
    let to = this.#to;
    for (let at = from; at < stop; at++) {
      const byte = source[at] ?? 0;
      const escape = escapes[byte] ?? 0;
      if (escape === 0) {
        bytes[to++] = byte;
        continue;
      }
      bytes[to++] = 0x5c;
      bytes[to++] = escape;
      if (escape === 0x75) {
        const low = byte & 0x0f;
        bytes[to++] = 0x30;
        bytes[to++] = 0x30;
        bytes[to++] = 0x30 + (byte >> 4);
        bytes[to++] = low < 10 ? 0x30 + low : 0x57 + low;
      }
    }
    bytes[to++] = 0x22;
    this.#to = to;
  }

  #open(bracket: number, depth: number): void {
    if (depth > deepest) throw damagedJson('it is nested too deeply');
    this.#room(4);
    this.#bytes[this.#to++] = bracket;
  }

  #close(bracket: number): void {
    this.#room(4);
    this.#bytes[this.#to++] = bracket;
  }

  #separate(mark: number): void {
    if (this.#to > this.#limit) throw damagedJson('its parts overlap');
    this.#room(4);
    this.#bytes[this.#to] = mark;
    this.#bytes[this.#to + 1] = 0x20;
    this.#to += 2;
  }

  #mark(isMarked: boolean): void {
    if (!this.marks || !isMarked) return;
    this.#room(4);
    this.#bytes[this.#to++] = 0x09;
  }

  #room(count: number): void {
    if (this.#to + count + 4 <= this.#bytes.length) return;
    this.#target.length = this.#to;
    this.#target.reserve(count + 4);
    this.#bytes = this.#target.bytes;
  }

  /** After others have written to the target. */
  #resume(): void {
    this.#bytes = this.#target.bytes;
    this.#to = this.#target.length;
    this.#room(4);
  }
}

const writer = new TextWriter();

const doubleBytes = new Uint8Array(8);
const double = new Float64Array(doubleBytes.buffer);

function doubleAt(source: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = source[at + i] ?? 0;
  return double[0] ?? 0;
}

function uint16At(source: Uint8Array, at: number): number {
  return (source[at] ?? 0) | ((source[at + 1] ?? 0) << 8);
}

function need(at: number, count: number, end: number): void {
  if (at + count > end) throw damagedJson('it ends in the middle of a value');
}
