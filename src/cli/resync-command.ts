import { InvalidArgumentError } from 'commander';
import { openControlClient } from './control-client.ts';
import { writeOut } from './terminal.ts';

export interface ResyncOptions {
  readonly data: string;
  readonly all?: boolean;
}

/** `millrace resync`: asks the running worker to copy tables again. */
export async function resyncCommand(tables: readonly string[], { data, all }: ResyncOptions): Promise<void> {
  if ((all === true) === tables.length > 0) throw usage('Name tables as database.table, or say --all.');
  const wrong = tables.find((table) => !/^[^.]+\.[^.].*$/.test(table));
  if (wrong !== undefined) throw usage(`"${wrong}" is no table: it is written database.table.`);
  const { sources } = await openControlClient(data).call('resync', { tables }, { signal: new AbortController().signal });
  const what = tables.length === 0 ? 'all tables' : tables.join(', ');
  writeOut(`${what} of ${sources.join(', ')}: copied again while the stream goes on. \`millrace status\` shows how far it is.\n`);
}

/** A mistake in the arguments that commander cannot see. */
export function usage(message: string): InvalidArgumentError {
  process.stderr.write(`error: ${message}\n`);
  return new InvalidArgumentError(message);
}
