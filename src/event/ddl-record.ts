import type { TableId, TableSchema } from './table-schema.ts';

/** What a statement did to one table, in the schema-change topic. */
export interface DdlTableChange {
  /** TRUNCATE is told in the table's own topic. */
  readonly kind: 'CREATE' | 'ALTER' | 'DROP' | 'TRUNCATE';
  readonly id: TableId;
  /** Of RENAME TABLE: the name before. */
  readonly previous?: TableId;
  /** All columns, captured or not (of TRUNCATE the captured ones); absent: it is gone. */
  readonly schema?: TableSchema;
}

/** Where and when a statement was: an event of the group, or a snapshot that has read the definition. */
export type DdlPlace =
  | {
      readonly kind: 'event';
      /** Index in the group's `events`. */
      readonly event: number;
      /** Of the last row event before it: the number of its last row, from 0, as Debezium leaves it standing. */
      readonly row: number;
      /** 0: not known. */
      readonly thread: number;
      /** Of all transactions before its own; absent in logs of before, which have those of the group. */
      readonly gtids?: string;
    }
  | {
      readonly kind: 'snapshot';
      readonly file: string;
      readonly pos: number;
      readonly micros: number;
      /** No row of the snapshot follows. */
      readonly last: boolean;
    };

/** A record of the schema-change topic: a statement, or that part of it which is about one table. */
export interface DdlRecord {
  readonly statement: string;
  /** Empty: none. */
  readonly database: string;
  /** Names with commas between them; null: the statement is about no table. */
  readonly table: string | null;
  readonly changes: readonly DdlTableChange[];
  readonly place: DdlPlace;
}
