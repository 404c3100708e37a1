/**
 * The emulator as a program: `node test/snowflake-emulator/serve.ts [options as JSON]`. It prints one line of JSON
 * with its URL when it listens, takes lines of JSON with faults, and ends at SIGTERM, or when whoever started it ends.
 */
import { createInterface } from 'node:readline';
import type { Fault } from './faults.ts';
import { type EmulatorOptions, openSnowflakeEmulator } from './snowflake-emulator.ts';

/** A line on standard input; patterns are texts. */
interface Command {
  readonly faults?: readonly Readonly<Record<string, unknown>>[];
  readonly clearFaults?: true;
  readonly expireTokens?: 'session' | 'master' | 'streaming';
  /** Answers how many statements there were of each kind. */
  readonly counts?: true;
}

const options = JSON.parse(process.argv[2] ?? '{}') as EmulatorOptions;
const emulator = await openSnowflakeEmulator(options);
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function faultOf(given: Readonly<Record<string, unknown>>): Fault {
  const { match, path, ...rest } = given as { match?: { sql: string; nth?: number }; path?: string };
  return {
    ...rest,
    ...(match === undefined ? {} : { match: { ...match, sql: new RegExp(match.sql, 'i') } }),
    ...(path === undefined ? {} : { path: new RegExp(path) }),
  } as Fault;
}

async function end(): Promise<void> {
  await emulator[Symbol.asyncDispose]();
  process.exit(0);
}

process.on('SIGTERM', () => void end());
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as Command;
  if (command.clearFaults === true) emulator.faults.clear();
  if (command.expireTokens !== undefined) emulator.expireTokens(command.expireTokens);
  emulator.faults.add(...(command.faults ?? []).map(faultOf));
  say(command.counts === true ? { counts: emulator.counts() } : { done: true });
});
lines.on('close', () => void end());
say({ url: emulator.url, port: emulator.port, account: emulator.account });
