import { isJsonObject } from '../base/json-object.ts';
import { MillraceError } from '../base/errors.ts';
import type { SignalRequest } from '../worker/connect-service.ts';
import { JsonNumber } from './request-body.ts';

/** Body of POST /connectors/{name}/signals: `{"id", "type", "data"}`, as a line of Debezium's file of signals. @throws REQUEST_INVALID */
export function readSignalBody(body: unknown): SignalRequest {
  const members: Readonly<Record<string, unknown>> = isJsonObject(body) ? body : {};
  const { id, type, data } = members;
  if (typeof type !== 'string' || type === '') throw new MillraceError('REQUEST_INVALID', 'A signal has a "type".');
  if (id !== undefined && typeof id !== 'string') throw new MillraceError('REQUEST_INVALID', 'The "id" of a signal is a text.');
  const text = JSON.stringify(data ?? null, (_key, value: unknown) => (value instanceof JsonNumber ? Number(value.text) : value));
  return { type, data: typeof data === 'string' ? data : text === 'null' ? null : text, ...(id === undefined ? {} : { id }) };
}
