import { crc32 } from 'node:zlib';
import { MillraceError } from '../../base/errors.ts';
import { schemaKey, type TableSchema } from '../../event/table-schema.ts';
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
      const key = schemaKey(schema);
      if (this.#stored.has(key)) continue;
      const json = JSON.stringify(schema);
      this.#insert.run(key, crc32(json), json);
      added.push(key);
    }
    return {
      committed: () => {
        for (const key of added) this.#stored.add(key);
      },
    };
  }

  /** The same object each time. */
  resolve(key: string): TableSchema | undefined {
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const row = this.#select.get(key);
    if (row === undefined) return undefined;
    const json = textOf(row['json']);
    const schema: unknown = crc32(json) === numberOf(row['crc']) ? JSON.parse(json) : undefined;
    if (!isSchema(schema, key)) throw new MillraceError('LOG_CORRUPT', `The log's table schema ${key} is damaged`);
    this.#read.set(key, schema);
    return schema;
  }
}

/** The checksum has shown that it is what `add` made of a schema; remains to see of which. Older logs have all by fingerprint. */
function isSchema(value: unknown, key: string): value is TableSchema {
  if (typeof value !== 'object' || value === null || !('fingerprint' in value)) return false;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `add` has stored it
  return value.fingerprint === key || schemaKey(value as TableSchema) === key;
}
