import { MillraceError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import { runPreflight } from './preflight.ts';
import type { SourceConfig } from './source-config.ts';

/** What only a snapshot needs. */
const snapshotChecks = new Set(['RELOAD']);
/** What may come right while the source runs. */
const passingChecks = new Set(['captured tables', 'XA RECOVER']);

/** What only a replica needs: Debezium passes such changes over. */
const replicaChecks = new Set(['system versioning']);

/** Advice, for `doctor` alone; a replica with the source's own id is nearly always the connection that it had before. */
const adviceChecks = new Set(['binlog_row_metadata', 'time zone tables', 'server_id']);

/** Checks named by a privilege are upper case: `REPLICATION SLAVE`, `SELECT`. */
const privilege = /^[A-Z][A-Z ]+$/;

export interface StartCheckOptions {
  readonly log: Logger;
  /** A snapshot will be taken. */
  readonly snapshots: boolean;
  /** A sink keeps tables of the changes. */
  readonly keepsTables: boolean;
}

/**
 * The checks of `doctor` at a source's start: warnings are logged, the first failure is thrown with the statement that
 * repairs it.
 *
 * @throws MYSQL_SETTING, MYSQL_PRIVILEGE_MISSING, MYSQL_UNREACHABLE
 */
export async function checkStart(
  connection: ServerConnection,
  config: SourceConfig,
  { log, snapshots, keepsTables }: StartCheckOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const { check, status, message, repair } of await runPreflight(connection, config, signal)) {
    if (status === 'ok') continue;
    const isNeeded = (snapshots || !snapshotChecks.has(check)) && (keepsTables || !replicaChecks.has(check));
    const passes = status === 'warn' || passingChecks.has(check) || !isNeeded;
    if (passes) {
      log[adviceChecks.has(check) ? 'debug' : 'warn']({ check, ...(repair === undefined ? {} : { repair }) }, message);
      continue;
    }
    const code: ErrorCode = privilege.test(check) ? 'MYSQL_PRIVILEGE_MISSING' : 'MYSQL_SETTING';
    throw new MillraceError(code, `${connection.address}: ${check}: ${message}`, {
      context: { check },
      ...(repair === undefined ? {} : { nextStep: repair }),
    });
  }
}
