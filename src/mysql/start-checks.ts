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

/** Advice, for `doctor` alone. */
const adviceChecks = new Set(['binlog_row_metadata', 'time zone tables']);

/** Checks named by a privilege are upper case: `REPLICATION SLAVE`, `SELECT`. */
const privilege = /^[A-Z][A-Z ]+$/;

/**
 * The checks of `doctor` at a source's start: warnings are logged, the first failure is thrown with the statement that
 * repairs it.
 *
 * @throws MYSQL_SETTING, MYSQL_PRIVILEGE_MISSING, MYSQL_UNREACHABLE
 */
export async function checkStart(
  connection: ServerConnection,
  config: SourceConfig,
  { log, snapshots }: { readonly log: Logger; /** A snapshot will be taken. */ readonly snapshots: boolean },
  signal: AbortSignal,
): Promise<void> {
  for (const { check, status, message, repair } of await runPreflight(connection, config, signal)) {
    if (status === 'ok') continue;
    const passes = status === 'warn' || passingChecks.has(check) || (!snapshots && snapshotChecks.has(check));
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
