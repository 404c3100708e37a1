import { isJsonText } from '../base/json-object.ts';

/** A record of a source's signal topic. */
export interface SignalRecord {
  /** Debezium heeds those with `topic.prefix` alone, which it is when absent. */
  readonly key?: string;
  readonly value: string;
}

/** As clients of Debezium write it: `{"id", "type", "data"}`. `data`: JSON; null: none. */
export function signalRecord(
  { id, type, data }: { readonly id?: string | undefined; readonly type: string; readonly data: string | null },
  key: string | undefined,
): SignalRecord {
  const members = [
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    `"type":${JSON.stringify(type)}`,
    // text that is no JSON travels as a text, which is what Debezium makes of it
    ...(data === null ? [] : [`"data":${isJsonText(data) ? data : JSON.stringify(data)}`]),
  ];
  return { value: `{${members.join(',')}}`, ...(key === undefined ? {} : { key }) };
}
