import { isJsonObject } from '../base/json-object.ts';
import { MillraceError } from '../base/errors.ts';
import { signalRecord } from '../connect/signal-record.ts';
import type { SignalRequest } from '../worker/connect-service.ts';
import { JsonNumber } from './request-body.ts';

/** Where a signal comes through: `?channel=kafka` makes it a record of the source's signal topic, of the key of `&key=…`. */
export interface SignalWay {
  readonly channel: string | undefined;
  readonly key: string | undefined;
}

/** Body of POST /connectors/{name}/signals: `{"id", "type", "data"}`, as a line of Debezium's file of signals. @throws REQUEST_INVALID */
export function readSignalBody(body: unknown, { channel, key }: SignalWay): SignalRequest {
  const members: Readonly<Record<string, unknown>> = isJsonObject(body) ? body : {};
  const { id, type, data } = members;
  if ('key' in members) throw new MillraceError('REQUEST_INVALID', 'The key of a signal stands in the address: ?channel=kafka&key=….');
  if (typeof type !== 'string' || type === '') throw new MillraceError('REQUEST_INVALID', 'A signal has a "type".');
  if (id !== undefined && typeof id !== 'string') throw new MillraceError('REQUEST_INVALID', 'The "id" of a signal is a text.');
  if (channel !== undefined && channel !== 'api' && channel !== 'kafka') {
    throw new MillraceError('REQUEST_INVALID', `A signal comes through the channel api or kafka, not "${channel}".`);
  }
  const text = JSON.stringify(data ?? null, (_key, value: unknown) => (value instanceof JsonNumber ? Number(value.text) : value));
  const signal = { type, data: typeof data === 'string' ? data : text === 'null' ? null : text, ...(id === undefined ? {} : { id }) };
  return channel === 'kafka' ? { ...signal, record: signalRecord(signal, key) } : signal;
}
