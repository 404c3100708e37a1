import { messageOf } from '../base/errors.ts';
import { signalRecord } from '../connect/signal-record.ts';
import { openControlClient } from './control-client.ts';
import { usage } from './resync-command.ts';
import { writeOut } from './terminal.ts';

export interface SignalOptions {
  readonly data: string;
  readonly channel: 'api' | 'kafka';
  readonly key?: string;
}

/** `millrace signal`: gives a running source a signal of Debezium's form. */
export async function signalCommand(connector: string, type: string, json: string | undefined, options: SignalOptions): Promise<void> {
  if (options.key !== undefined && options.channel !== 'kafka') throw usage('--key is of --channel kafka.');
  if (json !== undefined) {
    try {
      JSON.parse(json);
    } catch (error) {
      throw usage(`The data of a signal is JSON: ${messageOf(error)}`);
    }
  }
  const signal = { type, data: json ?? null };
  const record = options.channel === 'kafka' ? signalRecord(signal, options.key) : null;
  const client = openControlClient(options.data);
  const { id } = await client.call('signal', { connector, ...signal, record }, { signal: new AbortController().signal });
  writeOut(`${connector} has taken the signal ${id}\n`);
}
