import { messageOf } from '../base/errors.ts';
import { openControlClient } from './control-client.ts';
import { usage } from './resync-command.ts';
import { writeOut } from './terminal.ts';

export interface SignalOptions {
  readonly data: string;
}

/** `millrace signal`: gives a running source a signal of Debezium's form. */
export async function signalCommand(connector: string, type: string, json: string | undefined, { data }: SignalOptions): Promise<void> {
  if (json !== undefined) {
    try {
      JSON.parse(json);
    } catch (error) {
      throw usage(`The data of a signal is JSON: ${messageOf(error)}`);
    }
  }
  const client = openControlClient(data);
  const { id } = await client.call('signal', { connector, type, data: json ?? null }, { signal: new AbortController().signal });
  writeOut(`${connector} has taken the signal ${id}\n`);
}
