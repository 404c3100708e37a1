import type { ConnectRecord } from '../../../connect/record.ts';
import type { TablePlace } from '../sql-text.ts';
import { contentText, metadataText, type MetadataOptions } from './landed-json.ts';
import type { LandedRow, LandingColumn, LandingLayout } from './landed-rows.ts';
import type { TopicTables } from './topic-tables.ts';

export const metadataColumn: LandingColumn = { name: 'RECORD_METADATA', sqlType: 'VARIANT', text: 'json', nullable: false };
export const contentColumn: LandingColumn = { name: 'RECORD_CONTENT', sqlType: 'VARIANT', text: 'json', nullable: true };
const plain: LandingLayout = { columns: [metadataColumn, contentColumn] };

export interface FormatOptions {
  readonly database: string;
  readonly schema: string;
  readonly tableOf: TopicTables;
  readonly metadata: MetadataOptions;
  /** `behavior.on.null.values=IGNORE`: records without a value do not land. */
  readonly ignoresNulls: boolean;
}

/** What records become in landing tables. */
export interface LandingFormat {
  readonly placeOf: (topic: string) => TablePlace;
  /** Undefined: the record does not land. `epoch`: of its position. */
  rowOf(record: ConnectRecord, of: { readonly offset: number; readonly epoch: number }): LandedRow | undefined;
}

/** RECORD_METADATA and RECORD_CONTENT. */
export function createPlainFormat(options: FormatOptions): LandingFormat {
  const placeOf = createPlaces(options);
  const { metadata } = options;
  return {
    placeOf,
    rowOf(record, { offset, epoch }) {
      if (record.value === null && options.ignoresNulls) return undefined;
      const content = record.value === null ? null : contentText(record.valueSchema, record.value, metadata.version);
      const meta = metadataText(record, offset, { ...metadata, epoch });
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
