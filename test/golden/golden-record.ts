import { isList, JsonObject, parseJson, printJson, type Json } from './lossless-json.ts';

/** Key or value of a record: no bytes at all, JSON, or other text. */
export type Side =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly json: Json }
  | { readonly kind: 'text'; readonly text: string };

/** A header's text; null is null bytes. */
export type Header = readonly [name: string, text: Json];

/** A record of a topic, as it was recorded or as it was read from our log. */
export interface GoldenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Side;
  readonly value: Side;
  readonly headers: readonly Header[];
}

/** A line of a recorded `events.jsonl`. */
export function parseRecordLine(line: string): GoldenRecord {
  const object = parseJson(line);
  if (!(object instanceof JsonObject)) throw new SyntaxError(`no record: ${line.slice(0, 80)}`);
  const side = (name: string): Side => {
    const value = object.get(name) ?? null;
    const text = object.get(`${name}Text`);
    if (object.get(`${name}IsText`) === true && typeof value === 'string') return { kind: 'text', text: value };
    // The raw text where a JSON parser would lose digits; also tells the four bytes `null` from no bytes.
    if (typeof text === 'string') return { kind: 'json', json: parseJson(text) };
    return value === null ? { kind: 'none' } : { kind: 'json', json: value };
  };
  const number = (name: string): number => Number(printJson(object.get(name) ?? '0'));
  const topic = object.get('topic');
  const headers = object.get('headers');
  if (typeof topic !== 'string') throw new SyntaxError(`a record without a topic: ${line.slice(0, 80)}`);
  return {
    topic,
    partition: number('partition'),
    offset: number('offset'),
    key: side('key'),
    value: side('value'),
    headers: isList(headers) ? headers.map(readHeader) : [],
  };
}

function readHeader(pair: Json): Header {
  if (!isList(pair) || typeof pair[0] !== 'string') throw new SyntaxError(`no header: ${printJson(pair)}`);
  return [pair[0], pair[1] ?? null];
}

/** Key or value from its bytes. */
export function sideOfBytes(bytes: Uint8Array | null): Side {
  if (bytes === null) return { kind: 'none' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return { kind: 'json', json: parseJson(text) };
  } catch {
    return { kind: 'text', text };
  }
}

function isWrapped(json: Json): json is JsonObject {
  return json instanceof JsonObject && json.members.length === 2 && json.has('schema') && json.has('payload');
}

/** What stands in the value itself, beside a schema or without one. */
export function payloadOf(side: Side): Json | undefined {
  if (side.kind !== 'json') return undefined;
  return isWrapped(side.json) ? side.json.get('payload') : side.json;
}

/** Changes the payload where it stands. */
export function mapPayload(side: Side, change: (payload: Json) => Json): Side {
  if (side.kind !== 'json') return side;
  const { json } = side;
  return { kind: 'json', json: isWrapped(json) ? json.map((value, name) => (name === 'payload' ? change(value) : value)) : change(json) };
}

/** As the recordings whose schemas were left out: the payload alone. */
export function withoutSchemas(record: GoldenRecord): GoldenRecord {
  const strip = (side: Side): Side => {
    const payload = payloadOf(side);
    return payload === undefined ? side : { kind: 'json', json: payload };
  };
  return { ...record, key: strip(record.key), value: strip(record.value) };
}

/** For messages and for lining records up. */
export function printSide(side: Side): string {
  if (side.kind === 'json') return printJson(side.json);
  return side.kind === 'none' ? 'no bytes' : `the text ${JSON.stringify(side.text)}`;
}
