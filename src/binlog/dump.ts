import type { Socket } from 'node:net';
import { addAbortListener } from 'node:events';
import { reasonOf } from '../base/abort.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { MillraceError } from '../base/errors.ts';
import type { ServerConnection } from './connection.ts';
import { textOf } from './cursor.ts';
import { translateDriverError, translateDumpError } from './driver-errors.ts';
import type { GtidSet } from './gtid-set.ts';
import type { MariadbGtidList } from './mariadb-gtid.ts';
import { PacketReader } from './packets.ts';
import { formatBinlogPosition } from './positions.ts';
import type { BinlogPosition } from './positions.ts';
import { isAtLeast } from './server-version.ts';

/**
 * Where a stream begins: at an event of a file, or after the transactions of a GTID set, wherever the server has
 * them (`gtids` on MySQL, `mariadbGtids` on MariaDB).
 */
export type StreamStart = { readonly position: BinlogPosition } | { readonly gtids: GtidSet } | { readonly mariadbGtids: MariadbGtidList };

export interface DumpOptions {
  /** Must differ from the id of every other replica of the server: of two with the same id the server drops the older. */
  readonly serverId: number;
  readonly start: StreamStart;
  /** When the binlog rests, the server sends a heartbeat each such period. */
  readonly heartbeatMs: number;
  /** MariaDB: also send the statements (ANNOTATE_ROWS events). MySQL sends ROWS_QUERY events whenever it wrote them. */
  readonly annotateRows?: boolean;
}

/** A dump that was asked for: the events come on `socket`, as packets, from now on. */
export interface Dump {
  readonly socket: Socket;
  readonly packets: PacketReader;
}

/** MySQL's flag of both dump commands: heartbeats with 64-bit positions (8.0.26 and newer). */
const useHeartbeatV2 = 2;
/** MariaDB's flag of COM_BINLOG_DUMP. */
const sendAnnotateRows = 2;
const comRegisterReplica = 0x15;
const comBinlogDump = 0x12;
const comBinlogDumpGtid = 0x1e;

/**
 * Registers as a replica and asks for the binlog. The connection then carries events only; it takes no query any more.
 *
 * @throws MYSQL_PRIVILEGE_MISSING without REPLICATION SLAVE, MYSQL_SETTING, MYSQL_UNREACHABLE. A position that the
 * server does not have is noticed later, by the first read.
 */
export async function startDump(connection: ServerConnection, options: DumpOptions, signal: AbortSignal): Promise<Dump> {
  const command = dumpCommand(connection, options);
  for (const statement of sessionStatements(connection, options)) await connection.query(statement, signal);
  const socket = connection.socket();
  await register(socket, connection, options.serverId, signal);
  socket.removeAllListeners('data');
  socket.pause();
  socket.write(command);
  return { socket, packets: new PacketReader(1) };
}

/**
 * Session variables that the dump thread looks at.
 *
 * The checksum is asked for as the server has it, which says that we know checksums; whether events carry one is
 * read from FORMAT_DESCRIPTION. A reader that pauses for long must not be thrown out: `net_write_timeout`.
 * Source: mysql-server, sql/rpl_replica.cc get_master_version_and_clock; MariaDB, sql/slave.cc likewise.
 */
function sessionStatements({ version }: ServerConnection, { start, heartbeatMs }: DumpOptions): string[] {
  const heartbeatNs = `${Math.round(heartbeatMs)}000000`;
  const statements = [
    'SET SESSION net_write_timeout = 86400',
    'SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum',
    `SET @master_heartbeat_period = ${heartbeatNs}, @source_heartbeat_period = ${heartbeatNs}`,
  ];
  if (version.flavor === 'mariadb') {
    // 4: understands GTIDs; without it the server translates GTID events into BEGIN.
    statements.push('SET @mariadb_slave_capability = 4');
    if ('mariadbGtids' in start) {
      statements.push(
        `SET @slave_connect_state = '${start.mariadbGtids.toString()}'`,
        'SET @slave_gtid_strict_mode = 1',
        'SET @slave_gtid_ignore_duplicates = 0',
      );
    }
  }
  return statements;
}

function dumpCommand({ version, address }: ServerConnection, options: DumpOptions): Uint8Array {
  const { start, serverId } = options;
  if ('gtids' in start) {
    if (version.flavor !== 'mysql') throw new MillraceError('CONFIG_INVALID', `${address} is MariaDB, the GTID set is MySQL's`);
    return encodeBinlogDumpGtid(isAtLeast(version, 8, 0, 26) ? useHeartbeatV2 : 0, serverId, start.gtids);
  }
  if ('mariadbGtids' in start) {
    if (version.flavor !== 'mariadb') throw new MillraceError('CONFIG_INVALID', `${address} is MySQL, the GTIDs are MariaDB's`);
    return encodeBinlogDump({ file: '', position: 4 }, options.annotateRows === true ? sendAnnotateRows : 0, serverId);
  }
  const wish = version.flavor === 'mariadb' ? options.annotateRows === true : isAtLeast(version, 8, 0, 26);
  // The two flags have the same bit.
  return encodeBinlogDump(start.position, wish ? useHeartbeatV2 : 0, serverId);
}

/**
 * COM_BINLOG_DUMP, with its packet header.
 *
 *   1  0x12
 *   4  position
 *   2  flags
 *   4  server id of the replica
 *   …  file name, to the end
 *
 * Source: mysql-server, sql/rpl_source.cc, com_binlog_dump.
 */
export function encodeBinlogDump(position: BinlogPosition, flags: number, serverId: number): Uint8Array {
  if (position.position > 0xffff_ffff) {
    const where = formatBinlogPosition(position);
    throw new MillraceError('BINLOG_UNSUPPORTED', `the server cannot start at ${where}: past 4 GiB only by GTID`);
  }
  return packet((writer) => {
    writer.uint8(comBinlogDump);
    uint32(writer, position.position);
    uint16(writer, flags);
    uint32(writer, serverId);
    text(writer, position.file);
  });
}

/**
 * COM_BINLOG_DUMP_GTID, with its packet header; the file name is left empty, the server finds the file by the set.
 *
 *   1  0x1e
 *   2  flags
 *   4  server id of the replica
 *   4  length of the file name
 *   …  file name
 *   8  position
 *   4  length of the set
 *   …  GTID set, binary
 *
 * Source: mysql-server, sql/rpl_source.cc, com_binlog_dump_gtid.
 */
export function encodeBinlogDumpGtid(flags: number, serverId: number, gtids: GtidSet): Uint8Array {
  return packet((writer) => {
    const set = gtids.encode();
    writer.uint8(comBinlogDumpGtid);
    uint16(writer, flags);
    uint32(writer, serverId);
    uint32(writer, 0);
    uint32(writer, 4);
    uint32(writer, 0);
    uint32(writer, set.length);
    writer.raw(set, 0, set.length);
  });
}

/**
 * COM_REGISTER_SLAVE, with its packet header: makes us appear in SHOW REPLICAS.
 *
 *   1    0x15
 *   4    server id of the replica
 *   1+n  host name, 1+n user, 1+n password, as shown; all may be empty
 *   2    port
 *   4    rank, ignored
 *   4    server id of the source, 0
 *
 * Source: mysql-server, sql/rpl_source.cc, register_replica.
 */
export function encodeRegisterReplica(serverId: number): Uint8Array {
  return packet((writer) => {
    writer.uint8(comRegisterReplica);
    uint32(writer, serverId);
    for (const shown of ['millrace', '', '']) {
      writer.uint8(shown.length);
      text(writer, shown);
    }
    uint16(writer, 0);
    uint32(writer, 0);
    uint32(writer, 0);
  });
}

/** Takes the socket from the driver, registers on it and waits for the answer. */
function register(socket: Socket, { address }: ServerConnection, serverId: number, signal: AbortSignal): Promise<void> {
  const where = `registering as replica ${serverId} at ${address}`;
  const packets = new PacketReader(1);
  return new Promise<void>((resolve, reject) => {
    const abort = addAbortListener(signal, () => finish(reasonOf(signal)));
    const onData = (chunk: Buffer): void => {
      packets.push(chunk);
      try {
        if (packets.next()) finish(errorOf(packets.bytes, packets.start, packets.end, where));
      } catch (error) {
        finish(translateDriverError(error, where));
      }
    };
    const onClose = (): void =>
      finish(new MillraceError('MYSQL_UNREACHABLE', `${where}: the server closed the connection`, { retriable: true }));
    const onError = (error: Error): void => finish(translateDriverError(error, where));
    const finish = (error: Error | undefined): void => {
      abort[Symbol.dispose]();
      socket.off('data', onData).off('close', onClose).off('error', onError);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.removeAllListeners('data');
    socket.on('data', onData).on('close', onClose).on('error', onError);
    socket.write(encodeRegisterReplica(serverId));
  });
}

/**
 * The error in `bytes[start, end)` if it is an ERR packet.
 *
 *   1  0xff
 *   2  number
 *   6  "#" and the SQL state
 *   …  text, to the end
 */
export function errorOf(bytes: Uint8Array, start: number, end: number, where: string): MillraceError | undefined {
  if (bytes[start] !== 0xff) return undefined;
  const number = (bytes[start + 1] ?? 0) | ((bytes[start + 2] ?? 0) << 8);
  const message = start + 3 + (bytes[start + 3] === 0x23 ? 6 : 0);
  return translateDumpError(number, textOf(bytes, Math.min(message, end), end), where);
}

function packet(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(128);
  uint32(writer, 0);
  write(writer);
  const length = writer.length - 4;
  if (length >= 0xff_ffff) throw new MillraceError('BINLOG_UNSUPPORTED', 'the GTID set is longer than 16 MiB');
  writer.view.setUint32(0, length, true);
  return writer.toBytes();
}

function uint16(writer: ByteWriter, value: number): void {
  writer.uint8(value & 0xff);
  writer.uint8((value >>> 8) & 0xff);
}

function uint32(writer: ByteWriter, value: number): void {
  writer.reserve(4);
  writer.view.setUint32(writer.length, value, true);
  writer.length += 4;
}

function text(writer: ByteWriter, value: string): void {
  const bytes = Buffer.from(value, 'utf8');
  writer.raw(bytes, 0, bytes.length);
}
