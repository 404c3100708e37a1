import type { ConnectRecord } from '../../../connect/record.ts';
import type { TablePlace } from '../sql-text.ts';
import { contentText, metadataText, type MetadataOptions } from './landed-json.ts';
import type { LandedRow, LandingColumn, LandingLayout } from './landed-rows.ts';
import type { TopicTables } from './topic-tables.ts';

const variant = (name: string): LandingColumn => ({ name, sqlType: 'VARIANT', converted: (cell) => `PARSE_JSON(${cell})` });
export const metadataColumn = variant('RECORD_METADATA');
const plain: LandingLayout = { columns: [metadataColumn, variant('RECORD_CONTENT')] };

export interface FormatOptions {
  readonly database: string;
  readonly schema: string;
  readonly tableOf: TopicTables;
  readonly metadata: MetadataOptions;
  /** `behavior.on.null.values=IGNORE`: records without a value do not land. */
  readonly ignoresNulls: boolean;
  readonly epochOf: (record: ConnectRecord) => number;
}

/** What records become in landing tables. */
export interface LandingFormat {
  placeOf(topic: string): TablePlace;
  /** Undefined: the record does not land. */
  rowOf(record: ConnectRecord, offset: number): LandedRow | undefined;
}

/** RECORD_METADATA and RECORD_CONTENT. */
export function createPlainFormat(options: FormatOptions): LandingFormat {
  const placeOf = createPlaces(options);
  const { metadata, epochOf } = options;
  return {
    placeOf,
    rowOf(record, offset) {
      if (record.value === null && options.ignoresNulls) return undefined;
      const content = record.value === null ? null : contentText(record.valueSchema, record.value, metadata.version);
      const meta = metadataText(record, offset, { ...metadata, epoch: epochOf(record) });
      return { place: placeOf(record.topic), layout: plain, cells: [meta, content] };
    },
  };
}

export function createPlaces({ database, schema, tableOf }: FormatOptions): LandingFormat['placeOf'] {
  const places = new Map<string, TablePlace>();
  return (topic) => {
    const known = places.get(topic) ?? { database, schema, table: tableOf(topic) };
    places.set(topic, known);
    return known;
  };
}
