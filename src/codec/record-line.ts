import type { ByteWriter } from '../base/byte-writer.ts';
import { isJsonText } from '../base/json-object.ts';
import type { RenderedRecord } from './debezium-renderer.ts';
import { jsonString, utf8, writeBytes, writeInteger } from './json-writer.ts';
import type { RecordHeader } from './record-headers.ts';

const topicStart = utf8('{"topic":');
const partitionLabel = utf8(',"partition":');
const offsetLabel = utf8(',"offset":');
const keyLabel = utf8(',"key":');
const valueLabel = utf8(',"value":');
const nullText = utf8('null');
const topics = new Map<string, Uint8Array>();
const headerTexts = new WeakMap<readonly RecordHeader[], Uint8Array>();

/**
 * Appends `{"topic","partition","offset","key","value","headers"}` and a line feed: key and value as their bytes are, null
 * for null bytes, a JSON string of what is no JSON (StringConverter); headers as pairs of name and text.
 */
export function renderRecordLine(record: RenderedRecord, partition: number, offset: number, out: ByteWriter): void {
  writeBytes(out, topicStart);
  writeBytes(out, topicText(record.topic));
  writeBytes(out, partitionLabel);
  writeInteger(out, partition);
  writeBytes(out, offsetLabel);
  writeInteger(out, offset);
  writeBytes(out, keyLabel);
  writePart(out, record, record.keyStart, record.keyEnd);
  writeBytes(out, valueLabel);
  writePart(out, record, record.valueStart, record.valueEnd);
  writeBytes(out, headersText(record.headers));
}

const openBrace = 0x7b;
const lineFeed = 0x0a;

/** Key or value, in one line. */
function writePart(out: ByteWriter, { bytes, isRow }: RenderedRecord, start: number, end: number): void {
  if (end < 0) {
    writeBytes(out, nullText);
    return;
  }
  if (isRow === true) {
    out.raw(bytes, start, end);
    return;
  }
  const part = bytes.subarray(start, end);
  if (bytes[start] === openBrace && !part.includes(lineFeed)) {
    out.raw(bytes, start, end);
    return;
  }
  const text = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('utf8');
  writeBytes(out, utf8(isJsonText(text) ? text.replaceAll(/\r?\n\s*/g, '') : jsonString(text)));
}

function topicText(topic: string): Uint8Array {
  const known = topics.get(topic);
  if (known !== undefined) return known;
  const text = utf8(jsonString(topic));
  topics.set(topic, text);
  return text;
}

/** `,"headers":[…]}` and the line feed; the renderer gives records with equal headers the same array. */
function headersText(headers: readonly RecordHeader[]): Uint8Array {
  const known = headerTexts.get(headers);
  if (known !== undefined) return known;
  const pairs = headers.map(
    ({ name, value }) => `[${jsonString(name)},${value === null ? 'null' : jsonString(Buffer.from(value).toString())}]`,
  );
  const text = utf8(`,"headers":[${pairs.join(',')}]}\n`);
  headerTexts.set(headers, text);
  return text;
}
