import { correctImage, correctRow, fixColumn } from './golden-corrections.ts';
import { loadFixture, type GoldenFixture, type GoldenRecord } from './golden-fixture.ts';
import { replayClock } from './golden-replay.ts';
import { membersOf } from './golden-text.ts';

/* Test support: the records that Millrace is to write where a recorded connector wrote its own. */

/** A record's bytes as text. */
export interface RecordText {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

/** The record as it was written, with one clock for all. */
export function recordText(fixture: GoldenFixture, record: GoldenRecord): RecordText {
  const { options, payloadForm, schemaForm } = fixture;
  const { schema: schemas, key, before, after, op, source, headers } = record;
  const context: Readonly<Record<string, string>> = {
    connectorLogicalName: options.topicPrefix,
    taskId: '0',
    connectorName: options.connector,
    runId: options.runId,
  };
  const contextHeaders = Object.entries(context).map(([name, text]) => [`__debezium.context.${name}`, text] as const);
  let value: string | null = null;
  if (source !== undefined) {
    const parts: Readonly<Record<string, unknown>> = {
      ts_ms: Math.floor(source.tsMicros / 1000),
      ts_us: source.tsMicros,
      ts_ns: `${source.tsMicros}000`,
      snapshot: JSON.stringify(source.snapshot),
      db: JSON.stringify(source.database),
      table: JSON.stringify(source.table),
      server_id: source.serverId,
      gtid: JSON.stringify(source.gtid),
      file: JSON.stringify(source.file),
      pos: source.pos,
      row: source.row,
      thread: source.thread,
      clock_ms: Math.floor(replayClock / 1000),
      clock_us: replayClock,
      clock_ns: `${replayClock}000`,
      before: before ?? 'null',
      after: after ?? 'null',
      op: JSON.stringify(op),
    };
    value = payloadForm.replaceAll(/<(\w+)>/g, (_match, part: string) => String(parts[part]));
    if (schemaForm !== undefined) {
      const row = schemas.row ?? '';
      const name = membersOf(`${row}}`).get('name') ?? '';
      const envelope = `${name.slice(1, -'.Value"'.length)}.Envelope`;
      const schema = schemaForm.replaceAll('<row>', () => row).replace('<name>.Envelope', () => envelope);
      value = `{"schema":${schema},"payload":${value}}`;
    }
  }
  const keyText = key === undefined ? null : schemas.key === undefined ? key : `{"schema":${schemas.key},"payload":${key}}`;
  return { topic: schemas.topic, key: keyText, value, headers: [...headers, ...(options.contextHeaders ? contextHeaders : [])] };
}

/** A fixture with Debezium's wrong values put right; see golden-corrections.ts. */
export function loadCorrected(name: string): GoldenFixture {
  const fixture = loadFixture(name, (table, column) => fixColumn(name, table, column));
  return {
    ...fixture,
    records: fixture.records.map((record) => ({
      ...record,
      schema: { ...record.schema, row: correctRow(fixture.name, record) },
      before: correctImage(fixture, record, record.before),
      after: correctImage(fixture, record, record.after),
    })),
  };
}
