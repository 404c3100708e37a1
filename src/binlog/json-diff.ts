import { ByteWriter } from '../base/byte-writer.ts';
import { Cursor, textOf } from './cursor.ts';
import { writeJsonText } from './json.ts';

/** One change inside of a JSON document (`binlog_row_value_options=PARTIAL_JSON`). */
export interface JsonDiff {
  readonly operation: 'replace' | 'insert' | 'remove';
  /** As JSON_SET takes it: `$.a[3]."b c"`. */
  readonly path: string;
  /** JSON text; undefined for `remove`. */
  readonly value: string | undefined;
}

const operations = ['replace', 'insert', 'remove'] as const;

/**
 * The diffs of `bytes[start, end)`, to be applied in this order.
 *
 *   for each:
 *     1    operation: 0 replace, 1 insert, 2 remove
 *     1-9  length of the path, length-encoded, and the path
 *     1-9  length of the value, length-encoded, and the value in binary JSON; not with remove
 *
 * Source: mysql-server, sql/json_diff.cc, Json_diff_vector::read_binary.
 */
export function readJsonDiffs(bytes: Uint8Array, start: number, end: number): JsonDiff[] {
  const cursor = new Cursor(bytes, start, end, 'JSON diff');
  const diffs: JsonDiff[] = [];
  const text = new ByteWriter(256);
  while (cursor.remaining > 0) {
    const code = cursor.uint8();
    const operation = operations[code];
    if (operation === undefined) throw cursor.corrupt(`operation ${code}`);
    const path = cursor.text(cursor.lengthEncoded());
    let value: string | undefined;
    if (operation !== 'remove') {
      const length = cursor.lengthEncoded();
      const from = cursor.at;
      cursor.skip(length);
      text.clear();
      writeJsonText(bytes, from, from + length, text);
      value = textOf(text.bytes, 0, text.length);
    }
    diffs.push({ operation, path, value });
  }
  return diffs;
}
