import { crc32 } from 'node:zlib';
import { MillraceError } from '../../base/errors.ts';
import type { TableSchema } from '../../event/table-schema.ts';
import { numberOf, textOf } from './database.ts';
import type { LogDatabase, Statement } from './database.ts';

/** The table schemas that groups name, each stored once and read once. */
export class SchemaStore {
  readonly #insert: Statement;
  readonly #select: Statement;
  readonly #stored = new Set<string>();
  readonly #read = new Map<string, TableSchema>();

  constructor(database: LogDatabase) {
    this.#insert = database.prepare('INSERT OR IGNORE INTO table_schemas VALUES (?, ?, ?)');
    this.#select = database.prepare('SELECT crc, json FROM table_schemas WHERE fingerprint = ?');
  }

  /** Within the transaction that stores the group; `committed` after it. */
  add(schemas: readonly TableSchema[]): { committed(): void } {
    const added: string[] = [];
    for (const schema of schemas) {
      if (this.#stored.has(schema.fingerprint)) continue;
      const json = JSON.stringify(schema);
      this.#insert.run(schema.fingerprint, crc32(json), json);
      added.push(schema.fingerprint);
    }
    return {
      committed: () => {
        for (const fingerprint of added) this.#stored.add(fingerprint);
      },
    };
  }

  /** The same object each time. */
  resolve(fingerprint: string): TableSchema | undefined {
    const known = this.#read.get(fingerprint);
    if (known !== undefined) return known;
    const row = this.#select.get(fingerprint);
    if (row === undefined) return undefined;
    const json = textOf(row['json']);
    const schema: unknown = crc32(json) === numberOf(row['crc']) ? JSON.parse(json) : undefined;
    if (!isSchema(schema, fingerprint)) throw new MillraceError('LOG_CORRUPT', `The log's table schema ${fingerprint} is damaged`);
    this.#read.set(fingerprint, schema);
    return schema;
  }
}

/** The checksum has shown that it is what `add` made of a schema; remains to see of which. */
function isSchema(value: unknown, fingerprint: string): value is TableSchema {
  return typeof value === 'object' && value !== null && 'fingerprint' in value && value.fingerprint === fingerprint;
}
