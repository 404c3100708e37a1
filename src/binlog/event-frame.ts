import { MillraceError } from '../base/errors.ts';
import { readFormatDescription } from './control-events.ts';
import { crc32 } from './crc32.ts';
import { Cursor, copyOf, uint32At } from './cursor.ts';
import { eventFlag, eventType, eventTypeName } from './event-types.ts';

export const headerLength = 19;
const checksumLength = 4;

/**
 * Header and checksum of events, and the place in the binlog. After `open` its fields are those of the event; the decoder
 * reads them from here, so that no object is made for a header.
 *
 *   4  timestamp, seconds
 *   1  type
 *   4  server id
 *   4  size of the event, header and checksum included
 *   4  position of the next event, low 32 bits; 0 if it is in no file
 *   2  flags
 *   …  body
 *   4  CRC32 of all before it, if FORMAT_DESCRIPTION said so
 *
 * Source: mysql-server, binlog_event.h, Log_event_header and Log_event_footer.
 */
export class EventFrame {
  /** The place behind the event. */
  file: string;
  position: number;
  timestamp = 0;
  code = 0;
  serverId = 0;
  size = 0;
  flags = 0;
  /** The position as it stands in the header. */
  low = 0;
  mariadb: boolean;
  #checksum: boolean | undefined;
  /** Where the event begins that is not inside of another. */
  #start = 0;

  constructor(start: { readonly file: string; readonly position: number; readonly mariadb: boolean }) {
    this.file = start.file;
    this.position = start.position;
    this.mariadb = start.mariadb;
  }

  /** Reads the header of `bytes[start, end)`, verifies the checksum and gives where the body ends. */
  open(bytes: Uint8Array, start: number, end: number): number {
    this.#readHeader(bytes, start, end);
    const bodyEnd = this.#bodyEnd(bytes, start, end);
    this.#advance();
    this.#start = this.position - this.size;
    return bodyEnd;
  }

  /** The same for an event inside of the one that was opened last; it has the place before that one, unless it is the last. */
  openInner(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    this.#readHeader(bytes, start, end);
    this.size = isLast ? this.position - this.#start : 0;
    if (!isLast) this.position = this.#start;
  }

  corrupt(message: string): MillraceError {
    return new MillraceError('BINLOG_CORRUPT', `${eventTypeName(this.code)} after ${this.file}:${this.position}: ${message}`);
  }

  #readHeader(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < headerLength) {
      throw new MillraceError('TRUNCATED', `an event of ${end - start} bytes after ${this.file}:${this.position}`);
    }
    this.timestamp = uint32At(bytes, start);
    this.code = bytes[start + 4] ?? 0;
    this.serverId = uint32At(bytes, start + 5);
    this.size = uint32At(bytes, start + 9);
    this.low = uint32At(bytes, start + 13);
    this.flags = (bytes[start + 17] ?? 0) | ((bytes[start + 18] ?? 0) << 8);
    if (this.size !== end - start) throw this.corrupt(`the event says ${this.size} bytes and has ${end - start}`);
  }

  #bodyEnd(bytes: Uint8Array, start: number, end: number): number {
    if (this.code === eventType.formatDescription) {
      this.#readFormat(bytes, start, end);
      return end;
    }
    const bodyEnd = end - checksumLength;
    // What the dump thread makes up follows the checksum that we asked for or that of the file before: try.
    if (this.#checksum === undefined || (this.code === eventType.rotate && (this.flags & eventFlag.artificial) !== 0)) {
      return bodyEnd >= start + headerLength && crc32(bytes, start, bodyEnd) === uint32At(bytes, bodyEnd) ? bodyEnd : end;
    }
    if (!this.#checksum) return end;
    if (bodyEnd < start + headerLength) throw this.corrupt('no room for a checksum');
    if (crc32(bytes, start, bodyEnd) !== uint32At(bytes, bodyEnd)) throw this.corrupt('wrong checksum');
    return bodyEnd;
  }

  #readFormat(bytes: Uint8Array, start: number, end: number): void {
    const { checksum, serverVersion } = readFormatDescription(new Cursor(bytes, start + headerLength, end, 'FORMAT_DESCRIPTION'));
    if (checksum && formatChecksum(bytes, start, end - checksumLength) !== uint32At(bytes, end - checksumLength)) {
      throw this.corrupt('wrong checksum');
    }
    this.#checksum = checksum;
    this.mariadb = /mariadb/i.test(serverVersion) || this.mariadb;
  }

  /** The position behind the event: headers have its low 32 bits; within a file it only grows. */
  #advance(): void {
    if ((this.flags & eventFlag.artificial) !== 0) return;
    if (this.low === 0) {
      // MariaDB writes no positions inside of a transaction; what the dump thread makes up has none either.
      if (!isMadeUp(this.code)) this.position += this.size;
      return;
    }
    const position = this.position - (this.position % 0x1_0000_0000) + this.low;
    if (position >= this.position) this.position = position;
    else if (this.position - position > 0x8000_0000) this.position = position + 0x1_0000_0000;
  }
}

function isMadeUp(code: number): boolean {
  return (
    code === eventType.rotate ||
    code === eventType.formatDescription ||
    code === eventType.startEncryption ||
    code === eventType.heartbeat ||
    code === eventType.heartbeatV2 ||
    code === eventType.gtidList
  );
}

/** The flag "in use" of an open file is set after the checksum was written. */
function formatChecksum(bytes: Uint8Array, start: number, end: number): number {
  if (((bytes[start + 17] ?? 0) & 1) === 0) return crc32(bytes, start, end);
  const copy = copyOf(bytes, start, end);
  copy[17] = (copy[17] ?? 0) & ~1;
  return crc32(copy, 0, copy.length);
}
