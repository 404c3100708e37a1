import { GtidSet } from '../../binlog/gtid-set.ts';
import { MariadbGtidList } from '../../binlog/mariadb-gtid.ts';
import { compareBinlogPositions } from '../../binlog/positions.ts';
import { tableName } from '../../event/table-schema.ts';
import type { TableId, TableSchema } from '../../event/table-schema.ts';
import { openOfflineTables } from '../ddl/offline-ddl.ts';
import type { OfflineTables } from '../ddl/offline-ddl.ts';
import type { CharsetCatalog } from '../charset-catalog.ts';
import { isHashColumn } from '../read-schema.ts';
import type { TableDefinition } from '../read-schema.ts';
import type { StreamPosition } from '../stream-contract.ts';
import { describedCreate } from './described-create.ts';
import type { DescribedTable, HistoryPlace, HistoryRecord } from './schema-history.ts';

/**
 * The definitions that tables had at an offset, as the statements of a schema history before it made them: the statements tell
 * more than Debezium kept of them. Where the two do not give the same columns, Debezium's are taken, by which it read the rows.
 */
export function tablesAt(records: readonly HistoryRecord[], offset: StreamPosition, catalog: CharsetCatalog): readonly TableDefinition[] {
  const tables = openOfflineTables(catalog, new Map());
  const isBefore = orderBy(offset, catalog.flavor);
  for (const { place, statement, database, changes } of records) {
    if (!isBefore(place)) continue;
    const { uncertain, unreadable } = tables.apply(statement, database);
    const doubted = new Set(uncertain.map(({ table }) => tableName(table)));
    for (const { id, previous, table } of changes) {
      if (table === null) {
        tables.remove(id);
        continue;
      }
      const known = tables.find(id);
      const isTrusted = !unreadable && !doubted.has(tableName(id));
      if (isTrusted && known !== undefined && sameColumns(known, table)) continue;
      if (previous !== undefined) tables.remove(previous);
      define(tables, id, table);
    }
  }
  return tables.definitions();
}

function define(tables: OfflineTables, id: TableId, table: DescribedTable): void {
  tables.remove(id);
  tables.apply(describedCreate(id, table), id.database);
}

function sameColumns({ columns }: TableSchema, described: DescribedTable): boolean {
  // hidden ones are in the rows, and in no statement
  const shown = columns.filter((column) => !isHashColumn(column) && (column.versioning === undefined || column.invisible !== true));
  return shown.length === described.columns.length && shown.every(({ name }, index) => name === described.columns[index]?.name);
}

/**
 * Whether what a record tells has happened before the offset. By GTIDs, which are those before the statement, a statement that has
 * the offset's own is the next one to come.
 * Source: debezium-connector-binlog, BinlogHistoryRecordComparator; it lets the next one in, too, which does no harm there.
 */
function orderBy(offset: StreamPosition, flavor: 'mysql' | 'mariadb'): (place: HistoryPlace) => boolean {
  const contains = offset.gtids === '' ? undefined : gtidOrder(offset.gtids, flavor);
  return (place) => {
    if (contains !== undefined && offset.byGtids === true) {
      // Of a time before the server had GTIDs.
      if (place.gtids === '') return true;
      const order = contains(place.gtids);
      return order === 'before' || (order === 'same' && place.snapshot);
    }
    const order = compareBinlogPositions({ file: place.file, position: place.pos }, { file: offset.file, position: offset.pos });
    return (order ?? 0) <= 0;
  };
}

type GtidOrder = (gtids: string) => 'before' | 'same' | 'after';

function gtidOrder(text: string, flavor: 'mysql' | 'mariadb'): GtidOrder {
  if (flavor === 'mariadb') {
    const mine = MariadbGtidList.parse(text);
    return (gtids) => {
      const other = MariadbGtidList.parse(gtids);
      return !mine.contains(other) ? 'after' : other.contains(mine) ? 'same' : 'before';
    };
  }
  const mine = GtidSet.parse(text);
  return (gtids) => {
    const other = GtidSet.parse(gtids);
    return !mine.contains(other) ? 'after' : other.contains(mine) ? 'same' : 'before';
  };
}
