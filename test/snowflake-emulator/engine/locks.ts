import { SnowflakeError } from '../snowflake-error.ts';

/** Who holds a lock, or waits for it. */
export interface LockOwner {
  readonly transactionId: number;
  readonly sessionId: number;
}

interface Waiter {
  readonly owner: LockOwner;
  readonly sinceMs: number;
  readonly grant: () => void;
}

interface Lock {
  owner: LockOwner;
  readonly waiters: Waiter[];
}

export interface WaitOptions {
  readonly table: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * A table has one writer that updates, merges or deletes, until its transaction ends. The others wait in their order,
 * for as long as LOCK_TIMEOUT says.
 */
export class Locks {
  readonly #locks = new Map<number, Lock>();

  async acquire(tableId: number, owner: LockOwner, options: WaitOptions): Promise<void> {
    const lock = this.#locks.get(tableId);
    if (lock === undefined) {
      this.#locks.set(tableId, { owner, waiters: [] });
      return;
    }
    if (lock.owner.transactionId === owner.transactionId) return;
    if (this.#wouldDeadlock(owner, lock.owner)) {
      throw new SnowflakeError(
        '000636',
        '40P01',
        `Statement was aborted: waiting for the lock on table ${options.table} would be a deadlock.`,
      );
    }
    await this.#wait(lock, owner, options);
  }

  /** Gives all that a transaction holds to those who wait. */
  release(transactionId: number): void {
    for (const [tableId, lock] of this.#locks) {
      if (lock.owner.transactionId !== transactionId) continue;
      const next = lock.waiters.shift();
      if (next === undefined) {
        this.#locks.delete(tableId);
      } else {
        lock.owner = next.owner;
        next.grant();
      }
    }
  }

  /** Transactions that others have waited for since before `beforeMs`. */
  blocking(beforeMs: number): readonly LockOwner[] {
    return [...this.#locks.values()].filter((lock) => lock.waiters.some((waiter) => waiter.sinceMs <= beforeMs)).map((lock) => lock.owner);
  }

  list(): readonly { readonly tableId: number; readonly owner: LockOwner; readonly holding: boolean }[] {
    return [...this.#locks].flatMap(([tableId, lock]) => [
      { tableId, owner: lock.owner, holding: true },
      ...lock.waiters.map((waiter) => ({ tableId, owner: waiter.owner, holding: false })),
    ]);
  }

  async #wait(lock: Lock, owner: LockOwner, options: WaitOptions): Promise<void> {
    const holder = lock.owner.transactionId;
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', abort);
        const index = lock.waiters.indexOf(waiter);
        if (index >= 0) lock.waiters.splice(index, 1);
      };
      const waiter: Waiter = {
        owner,
        sinceMs: Date.now(),
        grant: () => {
          leave();
          resolve();
        },
      };
      const abort = (): void => {
        leave();
        reject(new SnowflakeError('000604', '57014', 'SQL execution canceled'));
      };
      const timer = setTimeout(() => {
        leave();
        reject(
          new SnowflakeError(
            '000625',
            '57014',
            `Statement has locked table '${options.table}' in transaction ${holder} and this lock has not yet been released. ` +
              `Your statement was aborted because the lock wait timed out after ${options.timeoutMs / 1000} seconds.`,
          ),
        );
      }, options.timeoutMs);
      options.signal?.addEventListener('abort', abort);
      lock.waiters.push(waiter);
    });
  }

  #wouldDeadlock(owner: LockOwner, holder: LockOwner): boolean {
    const seen = new Set<number>();
    let next: LockOwner | undefined = holder;
    while (next !== undefined && !seen.has(next.transactionId)) {
      if (next.transactionId === owner.transactionId) return true;
      seen.add(next.transactionId);
      const waiting: LockOwner = next;
      next = [...this.#locks.values()].find((lock) =>
        lock.waiters.some((waiter) => waiter.owner.transactionId === waiting.transactionId),
      )?.owner;
    }
    return false;
  }
}
