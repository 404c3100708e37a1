import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { ServerConnection } from '../binlog/connection.ts';
import type { Entry } from '../connect/commit-group.ts';
import type { SourceConfig } from './source-config.ts';

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

  /** Runs the statement once per beat. What is wrong with it stops nothing. */
  async act(connection: ServerConnection, signal: AbortSignal): Promise<void> {
    if (!this.#acts) return;
    this.#acts = false;
    if (this.#query === undefined || this.#query.trim() === '') return;
    try {
      await connection.query(this.#query, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#log.warn({ error: messageOf(error) }, 'heartbeat.action.query failed');
    }
  }
}
