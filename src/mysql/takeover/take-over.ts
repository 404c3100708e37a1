import { readFile } from 'node:fs/promises';
import { messageOf, MillraceError } from '../../base/errors.ts';
import type { ServerConnection } from '../../binlog/connection.ts';
import { GtidSet } from '../../binlog/gtid-set.ts';
import type { SourcePosition } from '../../connect/commit-group.ts';
import type { StateRecord } from '../../connect/tasks.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId } from '../../event/table-schema.ts';
import { readCharsetCatalog } from '../charset-catalog.ts';
import { connectionSettings } from '../connection-settings.ts';
import { findLostPlace } from '../lost-place.ts';
import { readServerPosition } from '../server-position.ts';
import { readSteadyDefinitions } from '../source-models.ts';
import type { SourceStart, StartOptions } from '../source-start.ts';
import type { StreamPosition } from '../stream-contract.ts';
import { definitionsSince } from './altered-since.ts';
import { parseSchemaHistory } from './schema-history.ts';
import { tablesAt } from './tables-at.ts';

/**
 * The offset is another's, or was set by someone: nothing is known here of the tables at that place. A schema history tells
 * it; without one they are taken as they are now, if the binlog has altered none of them since. Found by GTIDs where there
 * are some, since the server may be another than the one whose file the offset names.
 *
 * @throws BINLOG_PURGED, SCHEMA_UNKNOWN, CONFIG_UNREADABLE
 */
export async function takeOver(options: StartOptions, stored: StreamPosition, signal: AbortSignal): Promise<SourceStart> {
  const { config, control, log } = options;
  const byGtids = stored.gtids !== '' && (await hasGtids(control, signal));
  const lost = byGtids ? await findPurged(control, stored.gtids, signal) : await findLostFile(control, stored, signal);
  if (lost !== undefined) {
    if (config.snapshotMode === 'when_needed') {
      log.warn({ file: stored.file, gtids: stored.gtids, lost }, 'the stored offset is of no use, all tables are read anew');
      const snapshot = { reason: 'the binlog from the stored offset on is gone', initial: true, anew: true };
      return { position: undefined, snapshot, first: undefined, queued: [] };
    }
    throw new MillraceError('BINLOG_PURGED', `${config.name} cannot go on from the offset that was set: ${lost}`, {
      nextStep: 'Correct the offset; or delete it, or set snapshot.mode=when_needed, and all tables are copied.',
      context: { file: stored.file, gtids: stored.gtids },
    });
  }
  const position = { ...stored, byGtids };
  const { file, pos, gtids, eventsDone } = position;
  const { tables, queued, end, history } = await tablesOf(options, position, signal);
  log.info(
    { file, pos, gtids, event: eventsDone, tables: tables.length, history },
    `goes on from an offset that was set, with the tables ${history === undefined ? 'as they are now' : 'as the schema history has them there'}`,
  );
  return { position, snapshot: undefined, first: undefined, queued, doubted: tables, catchUp: { file: end.file, pos: end.pos } };
}

interface Taken {
  readonly tables: readonly TableId[];
  readonly queued: readonly StateRecord[];
  /** Where the server's binlog ended then. */
  readonly end: SourcePosition;
  /** The file that told of them; undefined: they are as the server has them now. */
  readonly history?: string;
}

/** The server tells best of tables that nothing has altered since; a history may end before the offset. */
async function tablesOf(options: StartOptions, position: StreamPosition, signal: AbortSignal): Promise<Taken> {
  const { config, control, models, log } = options;
  const { tables, position: end } = await readSteadyDefinitions(control, models, signal);
  const span = { start: position, end, config, settings: connectionSettings(config.server) };
  const { altered, created } = await definitionsSince(span, signal);
  // Recovery is for when the history is of no use.
  const isRecovery = config.snapshotMode === 'recovery';
  if (altered !== undefined && !isRecovery && config.historyFile !== undefined) {
    return takenFromHistory(options, { position, history: config.historyFile }, signal);
  }
  if (altered !== undefined) {
    const what = `tables of ${config.name} were altered after its offset, ${placeText(position)}, at ${altered.file}:${altered.pos}: ${altered.statement.slice(0, 200)}`;
    if (!isRecovery) {
      throw new MillraceError('SCHEMA_UNKNOWN', what, {
        nextStep:
          "Give Debezium's schema history as schema.history.internal.file.filename. Without one: snapshot.mode=recovery takes the tables as " +
          'they are now, and records of rows before the statement may have values of other columns; or delete the offset, and copy them again.',
        context: { file: altered.file, pos: altered.pos },
      });
    }
    log.warn({ file: altered.file, pos: altered.pos }, `${what}: rows before it are read with the tables as they are now`);
  }
  const known = tables.filter(({ captured }) => !created.has(tableName(captured)));
  return { tables: known.map(({ captured }) => captured), queued: known.flatMap(({ captured }) => models.define(captured)), end };
}

async function takenFromHistory(
  { config, control, models }: StartOptions,
  { position, history }: { readonly position: StreamPosition; readonly history: string },
  signal: AbortSignal,
): Promise<Taken> {
  const records = (await readHistory(history)).filter(({ server }) => server === config.topicPrefix);
  if (records.length === 0) {
    throw new MillraceError('SCHEMA_UNKNOWN', `the schema history ${history} has no record of ${config.topicPrefix}`, {
      nextStep: 'Give the whole schema history topic of the connector that stored the offset.',
    });
  }
  const definitions = tablesAt(records, position, await readCharsetCatalog(control, signal));
  if (definitions.length === 0) {
    throw new MillraceError('SCHEMA_UNKNOWN', `the schema history ${history} tells of no table before ${placeText(position)}`, {
      nextStep: 'Give the whole schema history topic, from its beginning, with the offset that was stored beside it.',
    });
  }
  const queued = models.adopt(definitions);
  return { tables: models.captured(), queued, end: await readServerPosition(control, signal), history };
}

async function readHistory(file: string): Promise<ReturnType<typeof parseSchemaHistory>> {
  try {
    return parseSchemaHistory(await readFile(file, 'utf8'));
  } catch (error) {
    const next = error instanceof MillraceError ? { nextStep: error.nextStep } : {};
    throw new MillraceError('CONFIG_UNREADABLE', `schema.history.internal.file.filename: ${file}: ${messageOf(error)}`, {
      cause: error,
      ...next,
    });
  }
}

function placeText({ file, pos, gtids, byGtids }: StreamPosition): string {
  return byGtids === true ? gtids : `${file}:${pos}`;
}

async function hasGtids(control: ServerConnection, signal: AbortSignal): Promise<boolean> {
  if (control.version.flavor === 'mariadb') return true;
  return (await control.query('SELECT @@GLOBAL.gtid_mode', signal))[0]?.[0] === 'ON';
}

async function findLostFile(control: ServerConnection, { file, pos }: StreamPosition, signal: AbortSignal): Promise<string | undefined> {
  return file === '' ? 'it names GTIDs, and the server has none' : findLostPlace(control, { file, pos, gtids: '' }, signal);
}

/** What MySQL has thrown away of the transactions that are not in the set; MariaDB tells when it is asked for them. */
async function findPurged(control: ServerConnection, gtids: string, signal: AbortSignal): Promise<string | undefined> {
  if (control.version.flavor === 'mariadb') return undefined;
  const set = GtidSet.parse(gtids).toString();
  const [[isThere] = []] = await control.query(`SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, '${set}')`, signal);
  return isThere === '0' ? `the server no longer has the transactions that follow ${gtids}` : undefined;
}
