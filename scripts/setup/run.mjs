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
 * The same without an error: `status` is null when the program does not exist; `output` is what it said,
 * for messages, shortened in the middle.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function tryRun(program, args, options) {
  const result = spawnSync(program, args, { maxBuffer: 64 << 20, ...options, encoding: 'utf8' });
  const text = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim() || (result.error?.message ?? '');
  const output = text.length > 2000 ? `${text.slice(0, 1000)}\n…\n${text.slice(-1000)}` : text;
  return { status: result.status, stdout: result.stdout ?? '', output };
}
