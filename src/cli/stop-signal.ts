/** So soon a second signal is the first one again: service managers and timeout(1) signal the starter, who passes it on, and us. */
const sameSignalMs = 500;

/**
 * Resolves with the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once, which loses nothing: what is not
 * committed is done again at the next start.
 */
export function onStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstMs === undefined) {
          firstMs = performance.now();
          resolve(signal);
        } else if (performance.now() - firstMs > sameSignalMs) {
          process.exit(signal === 'SIGINT' ? 130 : 143);
        }
      });
    }
  });
}
