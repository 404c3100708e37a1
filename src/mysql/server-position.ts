import { MillraceError, isMillraceError } from '../base/errors.ts';
import { compareBinlogPositions } from '../binlog/positions.ts';
import type { ServerConnection, TextRow } from '../binlog/connection.ts';
import { isAtLeast } from '../binlog/server-version.ts';
import type { ServerVersion } from '../binlog/server-version.ts';
import type { SourcePosition } from '../connect/commit-group.ts';

/** The statement that names the binlog's end: file, offset and, fifth, MySQL's executed GTID set. */
export function binlogStatusStatement(version: ServerVersion): string {
  return version.flavor === 'mysql' && isAtLeast(version, 8, 2) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

/** The answer of `binlogStatusStatement`; throws MYSQL_SETTING when there is no binlog. */
export function readBinlogStatus(row: TextRow | undefined): SourcePosition {
  const [file, pos, , , gtids] = row ?? [];
  if (file === undefined || file === null || pos === undefined || pos === null) {
    throw new MillraceError('MYSQL_SETTING', 'the server writes no binlog', { nextStep: 'Start the server with --log-bin.' });
  }
  return { file, pos: Number(pos), gtids: (gtids ?? '').replaceAll(/\s/g, '') };
}

/**
 * Where the server's binlog ends now, with the GTIDs executed up to there.
 * @throws MYSQL_PRIVILEGE_MISSING without REPLICATION CLIENT, MYSQL_SETTING without a binlog
 */
export async function readServerPosition(connection: ServerConnection, signal: AbortSignal): Promise<SourcePosition> {
  const end = readBinlogStatus((await connection.query(binlogStatusStatement(connection.version), signal))[0]);
  if (connection.version.flavor === 'mysql') return end;
  return { ...end, gtids: await mariadbGtidsAt(connection, end, signal) };
}

/** MariaDB's GTID position at a place in its binlog; empty before the first GTID. */
export async function mariadbGtidsAt(connection: ServerConnection, { file, pos }: SourcePosition, signal: AbortSignal): Promise<string> {
  const rows = await connection.query(`SELECT BINLOG_GTID_POS('${file.replaceAll("'", "''")}', ${pos})`, signal);
  return rows[0]?.[0] ?? '';
}

/**
 * Order of two places in one server's binlog by file and offset: negative, 0, positive.
 * @throws INTERNAL when the files are of different servers
 */
export function comparePositions(a: Pick<SourcePosition, 'file' | 'pos'>, b: Pick<SourcePosition, 'file' | 'pos'>): number {
  const order = compareBinlogPositions({ file: a.file, position: a.pos }, { file: b.file, position: b.pos });
  if (order === undefined) throw new MillraceError('INTERNAL', `binlog files ${a.file} and ${b.file} have no order`);
  return order;
}

/** The server's binlog files and their sizes; undefined where it will not tell. */
export async function readBinlogFiles(connection: ServerConnection, signal: AbortSignal): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const files = await connection.query('SHOW BINARY LOGS', signal);
    return new Map(files.map(([name, size]) => [name ?? '', Number(size)]));
  } catch (error) {
    if (isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING')) return undefined;
    throw error;
  }
}
