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
    ...(data === null ? [] : [`"data":${isJson(data) ? data : JSON.stringify(data)}`]),
  ];
  return { value: `{${members.join(',')}}`, ...(key === undefined ? {} : { key }) };
}

/** Text that is none travels as a text, which is what Debezium makes of it. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
