/**
 * Resolves with the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once, which loses nothing: what is not
 * committed is done again at the next start.
 */
export function onStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (seen) process.exit(signal === 'SIGINT' ? 130 : 143);
        seen = true;
        resolve(signal);
      });
    }
  });
}
