import { addAbortListener } from 'node:events';

/** Waits for `ms` milliseconds; rejects with the signal's reason when it is aborted meanwhile. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const abort = addAbortListener(signal, () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    });
    const timer = setTimeout(() => {
      abort[Symbol.dispose]();
      resolve();
    }, ms);
  });
}

/** The reason as an Error, whatever the aborter gave. */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}

/**
 * A condition that others signal and one side waits for: `wake` lets the current or the next `wait` pass.
 * Several wakes before a wait count as one.
 */
export interface Wakeup {
  wake(): void;
  /** Waits for a wake, at most `ms` milliseconds. Rejects with the signal's reason when it is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createWakeup(): Wakeup {
  let pending = false;
  let release: (() => void) | undefined;
  return {
    wake() {
      pending = true;
      release?.();
    },
    async wait(ms, signal) {
      signal.throwIfAborted();
      if (!pending) {
        await new Promise<void>((resolve, reject) => {
          const done = (): void => {
            clearTimeout(timer);
            abort[Symbol.dispose]();
            release = undefined;
            resolve();
          };
          const abort = addAbortListener(signal, () => {
            clearTimeout(timer);
            release = undefined;
            reject(reasonOf(signal));
          });
          const timer = setTimeout(done, ms);
          release = done;
        });
      }
      pending = false;
    },
  };
}
