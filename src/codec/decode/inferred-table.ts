import type { ColumnType } from '../../event/column-type.ts';
import { guessedNullType, guessedType } from '../../event/guessed.ts';
import { createTableSchema, type Column, type TableId, type TableSchema } from '../../event/table-schema.ts';
import type { JsonReader } from './json-reader.ts';

/*
 * Tables of which nothing tells the types: guessed from the JSON of the rows, and widened as others come.
 *
 *   JSON                    column
 *   integer                 BIGINT
 *   other number            DOUBLE
 *   true, false             BOOLEAN
 *   text                    VARCHAR
 *   object, array           JSON
 *   null alone so far       VARCHAR
 *
 * A column that gets both integers and other numbers is a DOUBLE; of any other two kinds it is a VARCHAR with the JSON text.
 */

type Kind = 'unknown' | 'int' | 'double' | 'bool' | 'text' | 'json';

const types: Readonly<Record<Kind, ColumnType>> = {
  unknown: { kind: 'text' },
  int: { kind: 'int', bits: 64, unsigned: false },
  double: { kind: 'double', unsigned: false },
  bool: { kind: 'bit', length: 1 },
  text: { kind: 'text' },
  json: { kind: 'json' },
};

function kindOf({ type, nativeType }: Column): Kind {
  if (nativeType === guessedNullType) return 'unknown';
  switch (type.kind) {
    case 'int':
      return 'int';
    case 'double':
    case 'json':
      return type.kind;
    case 'bit':
      return 'bool';
    default:
      return 'text';
  }
}

function kindOfJson(reader: JsonReader): Kind {
  const first = reader.peek();
  if (first === 0x22) return 'text';
  if (first === 0x74 || first === 0x66) return 'bool';
  if (first === 0x7b || first === 0x5b) return 'json';
  const token = reader.token();
  if (!/^-?\d+$/.test(token)) return 'double';
  const value = BigInt(token);
  return value === BigInt.asIntN(64, value) ? 'int' : 'text';
}

function wider(known: Kind, found: Kind): Kind {
  if (known === found || known === 'unknown') return found;
  const numbers = (kind: Kind): boolean => kind === 'int' || kind === 'double';
  return numbers(known) && numbers(found) ? 'double' : 'text';
}

/**
 * The table with a place for each member of the objects at the cursors: of a row, and of its key. The same object when
 * they fit already.
 */
export function widenTable(
  known: TableSchema | undefined,
  {
    id,
    rows,
    key,
    skip,
  }: {
    readonly id: TableId;
    readonly rows: readonly JsonReader[];
    readonly key: JsonReader | undefined;
    readonly skip: (name: string) => boolean;
  },
): TableSchema {
  const kinds = new Map<string, Kind>((known?.columns ?? []).map((column) => [column.name, kindOf(column)]));
  const nullable = new Set((known?.columns ?? []).filter((column) => column.nullable).map(({ name }) => name));
  let changed = known === undefined;
  const take = (reader: JsonReader, isKey: boolean): string[] => {
    const names: string[] = [];
    for (let more = reader.enterObject(); more; more = reader.next()) {
      const name = reader.name();
      if (skip(name)) {
        reader.skip();
        continue;
      }
      names.push(name);
      const before = kinds.get(name);
      const kind: Kind = reader.takeNull() ? 'unknown' : kindOfValue(reader);
      const after = kind === 'unknown' ? (before ?? 'unknown') : wider(before ?? 'unknown', kind);
      if (before === after) continue;
      changed = true;
      kinds.set(name, after);
      if (!isKey) nullable.add(name);
    }
    return names;
  };
  for (const row of rows) take(row, false);
  const keyNames = key !== undefined && known === undefined ? take(key, true) : undefined;
  if (!changed && known !== undefined) return known;
  const columns = [...kinds].map(([name, kind]): Column => ({
    name,
    type: types[kind],
    nullable: nullable.has(name) || !(keyNames?.includes(name) ?? true),
    nativeType: kind === 'unknown' ? guessedNullType : guessedType,
  }));
  const primaryKey =
    keyNames === undefined ? (known?.primaryKey ?? []) : keyNames.map((name) => columns.findIndex((each) => each.name === name));
  return createTableSchema({
    ...id,
    columns: columns.map((column, at) => (primaryKey.includes(at) ? { ...column, nullable: false } : column)),
    primaryKey,
  });
}

function kindOfValue(reader: JsonReader): Kind {
  const { at } = reader;
  const kind = kindOfJson(reader);
  reader.at = at;
  reader.skip();
  return kind;
}
