import { JsonReader } from '../../codec/decode/json-reader.ts';
import { MillraceError } from '../../base/errors.ts';
import type { SerializedHeader, SerializedRecord } from '../../connect/record.ts';

/** A record as a line of a file has it. */
export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly record: SerializedRecord;
}

/**
 * Reads a line `{"topic", "partition", "offset", "key", "value", "headers": [[name, text] …], "timestamp"}` as `tail --json`
 * writes it: key and value are the record's bytes, put into the line as they were. `keyText` and `valueText` repeat them as a text
 * where a JSON library would lose digits; `keyIsText` and `valueIsText` say that they were no JSON. A line without a topic is one of the schema
 * history, and goes to `historyTopic`.
 * @throws CONFIG_UNREADABLE
 */
export function parseRecordLine(line: Uint8Array, historyTopic: string): TopicRecord {
  const reader = new JsonReader(line);
  const members = new Map<string, Uint8Array>();
  for (let more = reader.enterObject(); more; more = reader.next()) {
    const name = reader.name();
    members.set(name, reader.raw());
  }
  const json = (name: string): unknown => {
    const raw = members.get(name);
    return raw === undefined ? undefined : JSON.parse(Buffer.from(raw).toString('utf8'));
  };
  const side = (name: string): Uint8Array | null => {
    const text = json(`${name}Text`);
    if (typeof text === 'string') return Buffer.from(text, 'utf8');
    const raw = members.get(name);
    if (json(`${name}IsText`) === true) return Buffer.from(String(json(name)), 'utf8');
    return raw === undefined || (raw.length === 4 && raw[0] === 0x6e) ? null : raw;
  };
  const topic = json('topic') ?? historyTopic;
  if (typeof topic !== 'string') throw new MillraceError('CONFIG_UNREADABLE', 'a line has a topic that is no text');
  const timestamp = json('timestamp');
  return {
    topic,
    partition: Number(json('partition') ?? 0),
    offset: Number(json('offset') ?? -1),
    record: {
      key: side('key'),
      value: side('value'),
      headers: headersOf(json('headers')),
      ...(typeof timestamp === 'number' ? { timestamp } : {}),
    },
  };
}

function headersOf(value: unknown): readonly SerializedHeader[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown) => {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') return [];
    const text: unknown = pair[1];
    return [{ name: pair[0], value: typeof text === 'string' ? Buffer.from(text, 'utf8') : null }];
  });
}
