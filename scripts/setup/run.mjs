import { spawnSync } from 'node:child_process';

/**
 * Runs a program to its end and gives its standard output.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(program, args, options) {
  const result = tryRun(program, args, options);
  if (result.status !== 0) throw new Error(`${program} ${args[0] ?? ''} failed: ${result.output}`);
  return result.stdout;
}

/**
 * The same without an error: `status` is null when the program does not exist; `output` is the end of all that
 * it said, for messages.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function tryRun(program, args, options) {
  const result = spawnSync(program, args, { maxBuffer: 64 << 20, ...options, encoding: 'utf8' });
  const text = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  return { status: result.status, stdout: result.stdout ?? '', output: text.slice(-2000) || (result.error?.message ?? '') };
}
