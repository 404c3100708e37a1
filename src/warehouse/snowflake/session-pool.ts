import { MillraceError } from '../../base/errors.ts';
import type { SnowflakeSession } from './session.ts';

/** A session that was not used for so long is not trusted: it may have ended. */
const staleMs = 30 * 60_000;

/** Sessions for work that may run side by side; opened when they are needed. */
export class SessionPool implements AsyncDisposable {
  readonly #open: () => Promise<SnowflakeSession>;
  readonly #size: number;
  readonly #idle: SnowflakeSession[] = [];
  readonly #spent = new Set<SnowflakeSession>();
  #busy = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(size: number, open: () => Promise<SnowflakeSession>) {
    this.#size = size;
    this.#open = open;
  }

  /** Runs work on a session; one in which something failed is not used again. */
  async use<T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> {
    while (this.#busy >= this.#size) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    if (this.#closed) throw new MillraceError('ABORTED', 'The sink task is closed.');
    this.#busy++;
    try {
      const session = await this.#take();
      try {
        const result = await work(session);
        if (this.#spent.delete(session) || this.#closed) await session[Symbol.asyncDispose]();
        else this.#idle.push(session);
        return result;
      } catch (error) {
        await session[Symbol.asyncDispose]();
        throw error;
      }
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  /** A session that is in use is not used again after that. */
  spend(session: SnowflakeSession): void {
    this.#spent.add(session);
  }

  /** A session that is the caller's, outside of the pool. */
  openAlone(): Promise<SnowflakeSession> {
    return this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(this.#idle.splice(0).map((session) => session[Symbol.asyncDispose]()));
  }

  async #take(): Promise<SnowflakeSession> {
    for (;;) {
      const session = this.#idle.pop();
      if (session === undefined) return this.#open();
      if (performance.now() - session.usedMs < staleMs) return session;
      await session[Symbol.asyncDispose]();
    }
  }
}
