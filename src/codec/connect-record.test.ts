import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectRecord } from '../connect/record.ts';
import { createConnectRecordReader } from './connect-record.ts';
import { createDebeziumRenderer } from './debezium-renderer.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { loadCorrected } from './golden-expected.ts';
import { fixtureNames } from './golden-fixture.ts';
import { replayTopic } from './golden-replay.ts';
import { headerConverterOf } from './converters.ts';
import { JsonConverter } from './json-converter.ts';

/** A record as text: null bytes are null. */
type Texts = readonly (string | null)[];

for (const name of fixtureNames()) {
  test(`${name}: records in Connect's form, converted, are the bytes that are rendered`, () => {
    const fixture = loadCorrected(name);
    const { options } = fixture;
    const numericKeys: Partial<DebeziumOptions> = { keyConverter: { decimalFormat: 'numeric', replaceNullWithDefault: false } };
    for (const form of [
      options,
      { ...options, keySchemas: true, valueSchemas: true },
      { ...options, replaceNullWithDefault: false },
      { ...options, ...numericKeys },
    ]) {
      const renderer = createDebeziumRenderer(form);
      const reader = createConnectRecordReader(form);
      const convert = converting(form);
      let records = 0;
      for (const topic of new Set(fixture.records.map((record) => record.schema.topic))) {
        for (const { group, entry } of replayTopic(fixture, topic, (_column, value) => value)) {
          const rendered: Texts[] = [];
          renderer.render(group, entry, ({ topic: to, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }) => {
            rendered.push([
              to,
              textOf(keyEnd < 0 ? null : bytes.subarray(keyStart, keyEnd)),
              textOf(valueEnd < 0 ? null : bytes.subarray(valueStart, valueEnd)),
              ...headers.flatMap((header) => [header.name, textOf(header.value)]),
            ]);
          });
          const converted: Texts[] = [];
          reader.read(group, entry, { record: (record) => void converted.push(convert(record)), raw: () => assert.fail('raw') });
          assert.deepEqual(converted, rendered);
          records += rendered.length;
        }
      }
      assert.ok(records > 0);
    }
  });
}

function converting(options: DebeziumOptions): (record: ConnectRecord) => Texts {
  const { decimalFormat, replaceNullWithDefault, keyConverter, keySchemas, valueSchemas, headerFormat } = options;
  const keys = new JsonConverter({ schemas: keySchemas, ...keyConverter });
  const values = new JsonConverter({ schemas: valueSchemas, decimalFormat, replaceNullWithDefault });
  const headers = headerConverterOf(
    headerFormat === 'simple'
      ? { 'header.converter': 'org.apache.kafka.connect.storage.SimpleHeaderConverter' }
      : {
          'header.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'header.converter.schemas.enable': String(headerFormat === 'json-schemas'),
        },
  );
  return (record) => [
    record.topic,
    textOf(keys.fromConnect(record.topic, record.keySchema, record.key)),
    textOf(values.fromConnect(record.topic, record.valueSchema, record.value)),
    ...record.headers.flatMap((header) => [header.name, textOf(headers.fromConnect(record.topic, header))]),
  ];
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
}
