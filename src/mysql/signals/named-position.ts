import { isMillraceError } from '../../base/errors.ts';
import type { ServerConnection } from '../../binlog/connection.ts';
import { GtidSet } from '../../binlog/gtid-set.ts';
import { parseMariadbGtid } from '../../binlog/mariadb-gtid.ts';
import { findLostPlace } from '../lost-place.ts';

/** A place that a `set-binlog-position` names: a file and an offset, or GTIDs. */
export interface NamedPosition {
  readonly file: string;
  readonly pos: number;
  readonly gtids: string;
}

/** Why the stream cannot go there; undefined: it can. A source that went all the same would fail at each start from then on. */
export async function problemOfPosition(
  connection: ServerConnection,
  { file, pos, gtids }: NamedPosition,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    if (gtids === '') return await findLostPlace(connection, { file, pos, gtids }, signal);
    if (connection.version.flavor === 'mysql') {
      const set = GtidSet.parse(gtids).toString();
      const [row] = await connection.query(`SELECT GTID_SUBTRACT(@@GLOBAL.gtid_purged, '${set}')`, signal);
      const purged = (row?.[0] ?? '').replaceAll(/\s/g, '');
      return purged === '' ? undefined : `the server no longer has ${purged} in its binlog`;
    }
    for (const gtid of gtids.split(',')) parseMariadbGtid(gtid.trim());
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!isMillraceError(error) || error.retriable) throw error;
    return error.message;
  }
}
