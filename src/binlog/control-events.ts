import type { Cursor } from './cursor.ts';
import { GtidSet, formatUuid } from './gtid-set.ts';
import type { MariadbGtid } from './mariadb-gtid.ts';

/**
 * FORMAT_DESCRIPTION_EVENT: how the rest of the file is to be read.
 *
 *   2   binlog version, 4
 *   50  server version, padded with 0
 *   4   created: seconds since 1970 in the first file after a server start, else 0
 *   1   length of event headers, 19
 *   n   length of the fixed part of each event type, from type 1 on
 *   1   checksum algorithm: 0 none, 1 CRC32
 *   4   the checksum of this event, there whatever the algorithm is
 *
 * All servers supported here are newer than 5.6.1 and MariaDB 5.3, which introduced the algorithm byte.
 * Source: mysql-server, control_events.cpp, Format_description_event.
 */
export function readFormatDescription(cursor: Cursor): {
  binlogVersion: number;
  serverVersion: string;
  created: number;
  checksum: boolean;
  headerLengths: Uint8Array;
} {
  const binlogVersion = cursor.uint16();
  const version = cursor.text(50);
  const created = cursor.uint32();
  const headerLength = cursor.uint8();
  if (binlogVersion !== 4 || headerLength !== 19) throw cursor.corrupt(`binlog version ${binlogVersion}, headers of ${headerLength} bytes`);
  const headerLengths = cursor.copy(cursor.remaining - 5);
  const algorithm = cursor.uint8();
  if (algorithm > 1) throw cursor.corrupt(`checksum algorithm ${algorithm}`);
  const nul = version.indexOf('\0');
  return { binlogVersion, serverVersion: nul < 0 ? version : version.slice(0, nul), created, checksum: algorithm === 1, headerLengths };
}

/** What a GTID event of MySQL says, without its header. */
export interface GtidBody {
  source: string;
  gno: number;
  lastCommitted: number;
  sequenceNumber: number;
  originalCommitMicros: number | undefined;
  immediateCommitMicros: number | undefined;
  transactionLength: number | undefined;
}

/** Reads GTID events; one UUID after another is mostly the same, and then the same string. */
export class GtidReader {
  readonly #uuid = new Uint8Array(16);
  #text = formatUuid(this.#uuid, 0);

  /**
   * GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT.
   *
   *   1    flags
   *   16   UUID
   *   8    number
   *   1    type of the logical clock, 2
   *   8    last committed
   *   8    sequence number
   *   7    immediate commit, µs; its top bit says that the next field is there
   *   7    original commit, µs; left out if it is the same
   *   1-9  transaction length, length-encoded
   *   4    server version that committed first at this server; its top bit says that the next field is there
   *   4    … at the original one
   *   8    ticket of a group commit
   *
   * Source: mysql-server, control_events.h, Gtid_event.
   */
  read(cursor: Cursor): GtidBody {
    cursor.skip(1);
    const at = cursor.at;
    cursor.skip(16);
    const body = emptyGtid(this.#uuidText(cursor.bytes, at), cursor.uint64());
    if (cursor.remaining < 17 || cursor.uint8() !== 2) return body;
    body.lastCommitted = cursor.uint64();
    body.sequenceNumber = cursor.uint64();
    if (cursor.remaining < 7) return body;
    const low = cursor.uint48();
    const high = cursor.uint8();
    body.immediateCommitMicros = low + (high & 0x7f) * 2 ** 48;
    body.originalCommitMicros = high > 0x7f ? cursor.uint56() : body.immediateCommitMicros;
    if (cursor.remaining > 0) body.transactionLength = cursor.lengthEncoded();
    return body;
  }

  #uuidText(bytes: Uint8Array, at: number): string {
    for (let i = 0; i < 16; i++) {
      if (bytes[at + i] === this.#uuid[i]) continue;
      this.#uuid.set(bytes.subarray(at, at + 16));
      this.#text = formatUuid(this.#uuid, 0);
      break;
    }
    return this.#text;
  }
}

function emptyGtid(source: string, gno: number): GtidBody {
  return {
    source,
    gno,
    lastCommitted: 0,
    sequenceNumber: 0,
    originalCommitMicros: undefined,
    immediateCommitMicros: undefined,
    transactionLength: undefined,
  };
}

/**
 * GTID_TAGGED_LOG_EVENT, in the self-describing encoding of MySQL 8.3 and newer; all numbers are `varlen` (below).
 *
 *   serialization version, 1
 *   length of the message
 *   last field that a reader must know
 *   then, for each field, its id and its value, ids ascending, fields with a default left out
 *     0  flags            1 byte
 *     1  UUID             16 numbers
 *     2  gno              signed
 *     3  tag              length, characters
 *     4  last committed   signed
 *     5  sequence number  signed
 *     6  immediate commit µs
 *     7  original commit µs, if not the same
 *     8  transaction length
 *     9  immediate server version, 10 original one, 11 commit group ticket
 *
 * Source: mysql-server, control_events.h, Gtid_event::define_fields; libs/mysql/serialization/readme.md.
 */
export function readTaggedGtid(cursor: Cursor): GtidBody {
  const version = readVarlen(cursor);
  if (version !== 1) throw cursor.corrupt(`serialization version ${version}`);
  readVarlen(cursor); // length of the message
  const lastNeeded = readVarlen(cursor);
  const body = emptyGtid('', 0);
  let tag = '';
  const uuid = new Uint8Array(16);
  while (cursor.remaining > 0) {
    const field = readVarlen(cursor);
    if (field > 11) {
      if (lastNeeded > 11) throw cursor.corrupt(`field ${lastNeeded} is needed and not known`);
      break;
    }
    switch (field) {
      case 0:
        readVarlen(cursor);
        break;
      case 1:
        for (let i = 0; i < 16; i++) uuid[i] = readVarlen(cursor);
        break;
      case 2:
        body.gno = readSignedVarlen(cursor);
        break;
      case 3:
        tag = cursor.text(readVarlen(cursor));
        break;
      case 4:
        body.lastCommitted = readSignedVarlen(cursor);
        break;
      case 5:
        body.sequenceNumber = readSignedVarlen(cursor);
        break;
      case 6:
        body.immediateCommitMicros = readVarlen(cursor);
        break;
      case 7:
        body.originalCommitMicros = readVarlen(cursor);
        break;
      case 8:
        body.transactionLength = readVarlen(cursor);
        break;
      default:
        readVarlen(cursor);
    }
  }
  body.originalCommitMicros ??= body.immediateCommitMicros;
  body.source = formatUuid(uuid, 0) + (tag === '' ? '' : `:${tag}`);
  return body;
}

/**
 * A number of 1 to 9 bytes, little-endian: as many 1 bits from the bottom as bytes follow the first, a 0 bit unless
 * there are eight, then the value's bits.
 *
 * Source: mysql-server, libs/mysql/serialization/variable_length_integers.h.
 */
function readVarlen(cursor: Cursor): number {
  const value = readVarlenBig(cursor);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw cursor.corrupt(`a number of ${value}`);
  return Number(value);
}

/** Signed: the lowest bit is the sign, the rest is the number, or its complement if negative. */
function readSignedVarlen(cursor: Cursor): number {
  const raw = readVarlenBig(cursor);
  const magnitude = raw >> 1n;
  const value = (raw & 1n) === 0n ? magnitude : -magnitude - 1n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw cursor.corrupt(`a number of ${value}`);
  return Number(value);
}

function readVarlenBig(cursor: Cursor): bigint {
  const first = cursor.uint8();
  let more = 0;
  while (more < 8 && ((first >> more) & 1) === 1) more++;
  let value = BigInt(first >> (more + 1));
  // What is left of the first byte: 7 bits without further bytes, none with seven or eight.
  let shift = BigInt(Math.max(0, 7 - more));
  for (let i = 0; i < more; i++) {
    value |= BigInt(cursor.uint8()) << shift;
    shift += 8n;
  }
  return value;
}

/**
 * GTID_EVENT of MariaDB.
 *
 *   8  sequence number
 *   4  domain
 *   1  flags: 1 standalone, 2 group commit id, 4 transactional, 8 may run in parallel, 16 waited, 32 DDL,
 *      64 XA prepared, 128 XA completed
 *   8  group commit id, with flag 2
 *   …  xid, with flag 64 or 128: 4 format, 1 and 1 length of both parts, the parts
 *   1  more flags, if there is anything left: 2 start of an ALTER, 4 its commit, 8 its rollback
 *
 * Without an id the event is filled up with zeros to 19 bytes.
 * Source: MariaDB, sql/log_event.cc, Gtid_log_event.
 */
export function readMariadbGtid(cursor: Cursor): {
  sequence: number;
  domain: number;
  flags: number;
  groupCommitId: bigint | undefined;
  moreFlags: number;
} {
  const sequence = cursor.uint64();
  const domain = cursor.uint32();
  const flags = cursor.uint8();
  const groupCommitId = (flags & 2) === 0 ? undefined : cursor.uint64BigInt();
  if ((flags & 0xc0) !== 0) {
    cursor.skip(4);
    cursor.skip(cursor.uint8() + cursor.uint8());
  }
  return { sequence, domain, flags, groupCommitId, moreFlags: cursor.remaining > 0 ? cursor.uint8() : 0 };
}

/**
 * GTID_LIST_EVENT of MariaDB.
 *
 *   4  number of ids, 28 bits; above them flags
 *   4  domain, 4 server, 8 sequence number, of each
 *
 * Source: MariaDB, sql/log_event.cc, Gtid_list_log_event.
 */
export function readGtidList(cursor: Cursor): MariadbGtid[] {
  const count = cursor.uint32() & 0x0fff_ffff;
  const gtids: MariadbGtid[] = [];
  for (let i = 0; i < count; i++) gtids.push({ domain: cursor.uint32(), server: cursor.uint32(), sequence: cursor.uint64() });
  return gtids;
}

/**
 * XA_PREPARE_LOG_EVENT, the same on both servers.
 *
 *   1  1: committed in one phase
 *   4  format id
 *   4  length of the global part, 4 of the branch part
 *   …  both parts
 *
 * Source: mysql-server, control_events.h, XA_prepare_event; MariaDB, XA_prepare_log_event.
 */
export function readXaPrepare(cursor: Cursor): { onePhase: boolean; formatId: number; gtrid: Uint8Array; bqual: Uint8Array } {
  const onePhase = cursor.uint8() !== 0;
  const formatId = cursor.uint32() | 0;
  const gtridLength = cursor.uint32();
  const bqualLength = cursor.uint32();
  return { onePhase, formatId, gtrid: cursor.copy(gtridLength), bqual: cursor.copy(bqualLength) };
}

/**
 * HEARTBEAT_LOG_EVENT_V2: fields of a code, a length and a value, up to code 0.
 *
 *   1  file name
 *   2  position, length-encoded
 *
 * Source: mysql-server, codecs/binary.cpp, Heartbeat_event_v2.
 */
export function readHeartbeatV2(cursor: Cursor): { file: string; position: number } {
  let file = '';
  let position = 0;
  while (cursor.remaining > 0) {
    const code = cursor.lengthEncoded();
    if (code === 0) break;
    const length = cursor.lengthEncoded();
    const next = cursor.at + length;
    if (code === 1) file = cursor.text(length);
    else if (code === 2) position = cursor.lengthEncoded();
    else cursor.skip(length);
    if (cursor.at !== next) throw cursor.corrupt(`field ${code} is not ${length} bytes long`);
  }
  return { file, position };
}

/** INCIDENT_EVENT: 2 bytes of number, 1 of length, a message. Source: mysql-server, control_events.cpp, Incident_event. */
export function readIncident(cursor: Cursor): { incident: number; message: string } {
  const incident = cursor.uint16();
  return { incident, message: cursor.remaining > 0 ? cursor.text(cursor.uint8()) : '' };
}

/** PREVIOUS_GTIDS_LOG_EVENT: a GTID set, binary. */
export function readPreviousGtids(cursor: Cursor): GtidSet {
  return GtidSet.decode(cursor);
}
