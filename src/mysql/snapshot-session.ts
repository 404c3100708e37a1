import type { ServerConnection } from '../binlog/connection.ts';

/**
 * Makes a session read rows as they are stored, for as long as it takes: UTF-8 text, TIMESTAMP in UTC, dates that no
 * calendar has, no time limits, an isolation level that has consistent views.
 */
export async function prepareSession(connection: ServerConnection, signal: AbortSignal): Promise<void> {
  const noTimeLimit = connection.version.flavor === 'mariadb' ? 'max_statement_time = 0' : 'max_execution_time = 0';
  // A consumer may wait for long; 24 days is the longest wait_timeout that every platform takes.
  await connection.query(
    `SET NAMES utf8mb4, SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', net_write_timeout = 604800, ` +
      `net_read_timeout = 604800, wait_timeout = 2073600, ${noTimeLimit}`,
    signal,
  );
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ', signal);
}
