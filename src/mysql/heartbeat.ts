import { MillraceError, isMillraceError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { Entry } from '../connect/commit-group.ts';
import type { SourceConfig } from './source-config.ts';

/** Syntax error or access rule violation; no database. Source: io.debezium.heartbeat.DatabaseHeartbeatImpl. */
const brokenStates: ReadonlySet<unknown> = new Set(['42000', '3D000']);

/** Tells now and then that the source is alive, also on the source itself, if a statement is given for it. */
export class Heartbeat {
  readonly #intervalMs: number;
  readonly #query: string | undefined;
  readonly #log: Logger;
  #lastMs = performance.now();
  #acts = false;

  constructor({ heartbeatIntervalMs, heartbeatQuery }: Pick<SourceConfig, 'heartbeatIntervalMs' | 'heartbeatQuery'>, log: Logger) {
    this.#intervalMs = heartbeatIntervalMs;
    this.#query = heartbeatQuery;
    this.#log = log;
  }

  isDue(): boolean {
    return this.#intervalMs > 0 && performance.now() - this.#lastMs >= this.#intervalMs;
  }

  beat(): Entry {
    this.#lastMs = performance.now();
    this.#acts = true;
    return { kind: 'heartbeat', micros: Date.now() * 1000 };
  }

  /**
   * Runs the statement once per beat. What is wrong with its run stops nothing, what is wrong with itself does, as in Debezium.
   *
   * @throws CONFIG_INVALID when it is malformed, not allowed, or lacks a database
   */
  async act(connection: ServerConnection, signal: AbortSignal): Promise<void> {
    if (!this.#acts) return;
    this.#acts = false;
    if (this.#query === undefined || this.#query.trim() === '') return;
    try {
      await connection.query(this.#query, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (isMillraceError(error) && brokenStates.has(error.context['sqlState'])) {
        throw new MillraceError('CONFIG_INVALID', `heartbeat.action.query cannot be run: ${error.message}`, {
          cause: error,
          nextStep: 'Correct the statement, name tables with their database, or grant what it needs.',
        });
      }
      this.#log.warn({ error: messageOf(error) }, 'heartbeat.action.query failed');
    }
  }
}
