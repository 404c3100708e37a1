import type { ServerConnection, TextRow } from '../binlog/connection.ts';
import type { SourceConfig } from './source-config.ts';

/** One thing that was looked at. `fail`: Millrace cannot replicate so; `warn`: it can, with what the message says. */
export interface PreflightResult {
  /** Its name, in words of the server where there is one: `binlog_format`. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to run or set to repair it. */
  readonly repair?: string;
}

/** What the checks share: the connection, and a way to ask that a missing privilege or variable does not stop. */
export interface PreflightScope {
  readonly connection: ServerConnection;
  readonly config: SourceConfig;
  /** The rows, or undefined where the server or the user's privileges do not allow the statement. */
  readonly ask: (sql: string) => Promise<readonly TextRow[] | undefined>;
  /** A global variable by name; undefined if the server has none of it. */
  readonly variable: (name: string) => string | undefined;
}

/** Shorthand for results of one check. */
export function ok(check: string, message: string): PreflightResult {
  return { check, status: 'ok', message };
}

export function warn(check: string, message: string, repair?: string): PreflightResult {
  return { check, status: 'warn', message, ...(repair === undefined ? {} : { repair }) };
}

export function fail(check: string, message: string, repair?: string): PreflightResult {
  return { check, status: 'fail', message, ...(repair === undefined ? {} : { repair }) };
}
