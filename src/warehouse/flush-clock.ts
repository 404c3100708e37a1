/** How long what was put may wait for its flush. */
export interface FlushTimes {
  /** From the first change on. */
  readonly intervalMs: number;
  /** When the position alone has moved. */
  readonly idleIntervalMs: number;
}

/** When a sink whose flushes cost something flushes. */
export class FlushClock {
  /** Since when what is not flushed reaches beyond what is, and holds changes. */
  #movedMs = Infinity;
  #changedMs = Infinity;

  /** Something was put. */
  moved(withChanges: boolean): void {
    const now = performance.now();
    this.#movedMs = Math.min(this.#movedMs, now);
    if (withChanges) this.#changedMs = Math.min(this.#changedMs, now);
  }

  /** What was put is on its way. */
  flushed(): void {
    this.#movedMs = Infinity;
    this.#changedMs = Infinity;
  }

  /** `atEnd`: there is no later. */
  isDue({ intervalMs, idleIntervalMs }: FlushTimes, atEnd: boolean): boolean {
    const now = performance.now();
    return now - this.#movedMs >= idleIntervalMs || (this.#changedMs < Infinity && (atEnd || now - this.#changedMs >= intervalMs));
  }
}
