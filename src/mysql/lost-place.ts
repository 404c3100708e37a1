import { sleep } from '../base/abort.ts';
import { isMillraceError } from '../base/errors.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { GtidSet } from '../binlog/gtid-set.ts';
import { parseMariadbGtid } from '../binlog/mariadb-gtid.ts';
import type { MariadbGtid } from '../binlog/mariadb-gtid.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import { readBinlogFiles } from './server-position.ts';

/** A transaction may be in the binlog a moment before the server counts it as executed. */
const settleMs = 3000;

/**
 * Why the stream cannot go on from a place of the binlog; undefined when it can. A server that was reset or restored has a
 * file of the same name again: going on in its middle would lose what was written before that, and not be noticed.
 */
export async function findLostPlace(
  connection: ServerConnection,
  { file, pos, gtids }: SourcePosition,
  signal: AbortSignal,
): Promise<string | undefined> {
  const files = await readBinlogFiles(connection, signal);
  const size = files?.get(file);
  if (files !== undefined && size === undefined) return `the server no longer has ${file}`;
  if (size !== undefined && size < pos) return `the server's ${file} ends before ${pos}: it is not the file that was read`;
  const deadline = performance.now() + settleMs;
  for (;;) {
    const lost = await findLostGtids(connection, gtids, signal);
    if (lost === '') break;
    if (performance.now() > deadline) {
      return `the server does not have ${lost}, which was read from it: it was reset, or restored from a backup`;
    }
    await sleep(100, signal);
  }
  if (!(await isWithinEvent(connection, { file, pos }, signal))) return undefined;
  return `${pos} is within an event of the server's ${file}: it is not the file that was read`;
}

/** ER_ERROR_WHEN_EXECUTING_COMMAND: "Error when executing command SHOW BINLOG EVENTS: Wrong offset or I/O error". */
const wrongOffset = 1220;

/** Of the file that was read, every place that is stored is an event's end. */
async function isWithinEvent(
  connection: ServerConnection,
  { file, pos }: Pick<SourcePosition, 'file' | 'pos'>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await connection.query(`SHOW BINLOG EVENTS IN '${file.replaceAll("'", "''")}' FROM ${pos} LIMIT 1`, signal);
    return false;
  } catch (error) {
    signal.throwIfAborted();
    // The server may refuse it for other reasons; the stream itself tells then.
    return isMillraceError(error) && error.context['errno'] === wrongOffset;
  }
}

/** Transactions that the server has not written or executed; empty: it has all. */
async function findLostGtids(connection: ServerConnection, gtids: string, signal: AbortSignal): Promise<string> {
  if (gtids === '') return '';
  if (connection.version.flavor === 'mysql') {
    const set = GtidSet.parse(gtids).toString();
    const [row] = await connection.query(`SELECT GTID_SUBTRACT('${set}', @@GLOBAL.gtid_executed)`, signal);
    return (row?.[0] ?? '').replaceAll(/\s/g, '');
  }
  const [row] = await connection.query('SELECT @@GLOBAL.gtid_binlog_state', signal);
  const written = parseList(row?.[0] ?? '');
  const domains = new Set(written.map(({ domain }) => domain));
  const lost = gtids.split(',').filter((text) => {
    const { domain, server, sequence } = parseMariadbGtid(text);
    // One that alone is missing may have been removed: FLUSH BINARY LOGS DELETE_DOMAIN_ID.
    if (domains.size > 0 && !domains.has(domain)) return false;
    return !written.some((each) => each.domain === domain && each.server === server && each.sequence >= sequence);
  });
  return lost.join(',');
}

function parseList(text: string): readonly MariadbGtid[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(parseMariadbGtid);
}
