import { sleep } from './abort.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Exponential waits with full jitter in the upper half: 1×, 2×, 4× … of `firstMs`, never over `maxMs`. */
export interface Backoff {
  /** How many waits were begun since the last reset. */
  readonly attempts: number;
  /** The next wait in milliseconds; counts as an attempt. */
  next(): number;
  wait(signal: AbortSignal): Promise<void>;
  reset(): void;
}

export function createBackoff({ firstMs, maxMs }: BackoffOptions): Backoff {
  let attempts = 0;
  const backoff: Backoff = {
    get attempts() {
      return attempts;
    },
    next() {
      const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempts, 30));
      attempts++;
      return full / 2 + (Math.random() * full) / 2;
    },
    wait: (signal) => sleep(backoff.next(), signal),
    reset() {
      attempts = 0;
    },
  };
  return backoff;
}
