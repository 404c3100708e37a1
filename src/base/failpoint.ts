import { writeFileSync } from 'node:fs';

/**
 * Places at which crash tests kill the process: `MILLRACE_FAILPOINT=name` at the first pass, `name:3` at the third.
 * Before it dies it writes the name to the file `MILLRACE_FAILPOINT_FILE`, so that a test knows that it was hit.
 */
const [armed, nth = '1'] = (process.env['MILLRACE_FAILPOINT'] ?? '').split(':');
let left = Number(nth);

/**
 * Whether a fault that tests plant is asked for by `MILLRACE_MUTANT`: the crash tests must fail on it, which shows that
 * they would notice. There is one: `offsets-apart` commits a sink's rows before its offsets.
 */
export function isMutant(name: 'offsets-apart'): boolean {
  return process.env['MILLRACE_MUTANT'] === name;
}

/** Dies here by SIGKILL if the named failpoint is armed; else does nothing. */
export function failpoint(name: string): void {
  if (name !== armed || --left > 0) return;
  const file = process.env['MILLRACE_FAILPOINT_FILE'];
  if (file !== undefined) writeFileSync(file, name);
  process.kill(process.pid, 'SIGKILL');
  // the signal may take a moment, in which nothing else may happen
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
