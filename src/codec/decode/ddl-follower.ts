import type { SourcePosition } from '../../connect/commit-group.ts';
import type { DdlReader } from '../../connect/ddl-reader.ts';
import type { SerializedRecord } from '../../connect/record.ts';
import type { SchemaChange } from '../../event/schema-change.ts';
import { tableName, type TableId, type TableSchema } from '../../event/table-schema.ts';
import type { DdlRecord } from './described-change.ts';
import type { GroupAssembler } from './group-assembler.ts';
import { applyDdl } from './table-models.ts';
import { comparePlaces, naturalTopic, retitled, type OpenSnapshot, type TopicTable } from './topic-table.ts';

export interface DdlFollowerOptions {
  readonly source: string;
  readonly reader: DdlReader;
  readonly takes: (topic: string) => boolean;
  /** Whether the source's lists let a table in; undefined: not told. */
  readonly captures: ((table: TableId) => boolean) | undefined;
  readonly onDoubt: ((table: TableId, reason: string) => void) | undefined;
  /** What `printLoad` gave when the notes were made. */
  readonly load: string | undefined;
  readonly topic: (topic: string, table: TableId) => TopicTable;
  readonly topics: () => Iterable<TopicTable>;
  /** The table's note is another. */
  readonly changed: (table: TopicTable) => void;
}

/** A snapshot of the source, from its begin to its end: all tables of it appear at its end. */
interface Load {
  readonly snapshot: string;
  /** Of a source that had no earlier state. */
  readonly initial: boolean;
}

/** Carries the statements of schema changes over to the tables of topics, and keeps book of the snapshots that are being read. */
export class DdlFollower {
  readonly reader: DdlReader;
  readonly #options: DdlFollowerOptions;
  /** Tables that are being loaded. */
  readonly #open = new Set<TopicTable>();
  #load: Load | undefined;

  constructor(options: DdlFollowerOptions) {
    this.#options = options;
    this.reader = options.reader;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own note
    this.#load = options.load === undefined ? undefined : (JSON.parse(options.load) as Load);
  }

  get load(): Load | undefined {
    return this.#load;
  }

  printLoad(): string | undefined {
    return this.#load === undefined ? undefined : JSON.stringify(this.#load);
  }

  /** A snapshot begins, maybe once more: then what was loaded is void. */
  beginLoad({ snapshot, initial }: Load, assembler: GroupAssembler): void {
    const isAgain = this.#load !== undefined && this.#load.snapshot !== snapshot;
    this.#load = { snapshot, initial };
    if (!isAgain) return;
    for (const table of this.#open) {
      this.beginSnapshot(table, { id: snapshot, byStatement: table.snapshot?.byStatement ?? false }, assembler);
    }
  }

  /** What was loaded is a state that the source had. */
  endLoad(snapshot: string, assembler: GroupAssembler): void {
    if (snapshot !== this.#load?.snapshot) return;
    this.#load = undefined;
    this.#publish([...this.#open], assembler);
  }

  take(ddl: DdlRecord, record: SerializedRecord, assembler: GroupAssembler): void {
    const { changes, uncertain } = applyDdl(this.reader, ddl);
    if (!ddl.snapshot) for (const { table, reason } of uncertain) this.#doubt(table, reason);
    if (ddl.snapshot) {
      const id = `snapshot@${ddl.file}:${ddl.pos}`;
      for (const change of changes) if (change.kind === 'createTable') this.#createAside(change.after, id, assembler);
      if (ddl.last) this.markAllEnded();
      return;
    }
    if (this.hasOpenSnapshot) this.endEmptySnapshots();
    const wanted = changes.flatMap((change) => this.#followed(change));
    if (wanted.length > 0) assembler.schemaChanges(wanted, assembler.barrierEvent(record, undefined), ddl.statement);
  }

  /** The table of a definition whose rows go to another topic is none of its own, if it has no rows. */
  dropEmpty(definer: TableId, assembler: GroupAssembler): void {
    const table = this.#ofTable(definer);
    if (table?.schema === undefined || !table.created || table.hasRows) return;
    assembler.add({
      kind: 'schema',
      database: definer.database,
      statement: '',
      event: -1,
      changes: [{ kind: 'dropTable', before: table.schema }],
    });
    this.#forget(table);
  }

  #doubt(id: TableId, reason: string): void {
    const { source, takes, onDoubt } = this.#options;
    if (takes(naturalTopic(source, id))) onDoubt?.(id, reason);
  }

  #isWanted(table: TableId): boolean {
    const { source, takes, captures, topics } = this.#options;
    for (const { definedBy } of topics()) if (definedBy !== undefined && tableName(definedBy) === tableName(table)) return false;
    return takes(naturalTopic(source, table)) && (captures?.(table) ?? true);
  }

  get hasOpenSnapshot(): boolean {
    return this.#load !== undefined || this.#open.size > 0;
  }

  /** A table that its notes say is being loaded. */
  reopen(table: TopicTable): void {
    if (table.snapshot !== undefined) this.#open.add(table);
  }

  /** What streams comes behind the snapshot: tables that had no rows in it are empty. */
  endEmptySnapshots(): void {
    for (const table of this.#open) if (table.snapshot?.byStatement === true && !table.snapshot.hasRows) this.markEnded(table);
  }

  beginSnapshot(table: TopicTable, { id, byStatement }: Pick<OpenSnapshot, 'id' | 'byStatement'>, assembler: GroupAssembler): void {
    if (table.schema === undefined) return;
    table.snapshot = { id, byStatement, hasRows: false, reach: undefined, ended: false };
    this.#open.add(table);
    this.#options.changed(table);
    assembler.beginSnapshot(id, [table.schema]);
  }

  /**
   * The last row of a table's snapshot was read, or what streams has come: it is complete, once the stream has come to where
   * its rows were read. Of a source that tells the end itself, that alone counts.
   */
  markEnded(table: TopicTable): void {
    const { snapshot } = table;
    if (this.#load !== undefined || snapshot === undefined || snapshot.ended) return;
    snapshot.ended = true;
    this.#options.changed(table);
  }

  /** As `markEnded`, of all tables. */
  markAllEnded(): void {
    for (const table of this.#open) this.markEnded(table);
  }

  /** Behind a group that ends at this position: all complete tables appear at once, if they are a state that the source had. */
  settle(position: SourcePosition, assembler: GroupAssembler): void {
    if (this.#open.size === 0) return;
    const ended = [...this.#open].filter(({ snapshot }) => snapshot?.ended === true);
    const isReached = ({ snapshot }: TopicTable): boolean => snapshot?.reach === undefined || comparePlaces(position, snapshot.reach) >= 0;
    if (position.file !== '' && !ended.every(isReached)) return;
    this.#publish(ended, assembler);
  }

  #publish(tables: readonly TopicTable[], assembler: GroupAssembler): void {
    for (const [id, together] of Map.groupBy(tables, ({ snapshot }) => snapshot?.id ?? '')) {
      assembler.endSnapshot(
        id,
        together.flatMap(({ schema }) => schema ?? []),
      );
    }
    for (const table of tables) {
      table.snapshot = undefined;
      this.#open.delete(table);
      this.#options.changed(table);
    }
  }

  /** It is no more loaded, whatever became of what was. */
  #close(table: TopicTable): void {
    table.snapshot = undefined;
    this.#open.delete(table);
  }

  #createAside(schema: TableSchema, snapshot: string, assembler: GroupAssembler): void {
    if (!this.#isWanted(schema)) return;
    const table = this.#define(schema);
    table.created ||= this.#options.captures !== undefined;
    if (!table.created) return;
    this.beginSnapshot(table, { id: snapshot, byStatement: true }, assembler);
  }

  #define(schema: TableSchema): TopicTable {
    const table = this.#options.topic(naturalTopic(this.#options.source, schema), schema);
    table.kind = 'rows';
    table.id = { database: schema.database, table: schema.table };
    table.schema = schema;
    table.knowledge = 'defined';
    table.definedBy = undefined;
    table.hasRows = false;
    table.plan = undefined;
    this.#options.changed(table);
    return table;
  }

  /** A change as the tables of topics have it. */
  #followed(change: SchemaChange): readonly SchemaChange[] {
    const changes = [...this.#options.topics()].flatMap((table) => this.#routed(table, change));
    const before = 'before' in change ? this.#ofTable(change.before) : undefined;
    const snapshot = before?.snapshot;
    if (before !== undefined) this.markEnded(before);
    const existed = before?.created === true && before.schema !== undefined;
    // rows of it have come that do not follow the definition
    if (existed && before.knowledge !== 'defined' && change.kind !== 'dropTable') return changes;
    const hasRows = before?.hasRows ?? false;
    if (change.kind === 'truncateTable') return existed ? [...changes, change] : changes;
    if (before !== undefined && (change.kind === 'dropTable' || change.kind === 'renameTable')) this.#forget(before);
    const after = 'after' in change ? change.after : undefined;
    if (after === undefined || !this.#isWanted(after)) {
      return existed && 'before' in change ? [...changes, { kind: 'dropTable', before: change.before }] : changes;
    }
    const table = this.#define(after);
    table.hasRows = change.kind !== 'createTable' && hasRows;
    table.created = existed || this.#options.captures !== undefined;
    if (!table.created) return changes;
    if (change.kind === 'createTable') this.#close(table);
    else if (snapshot !== undefined) {
      table.snapshot = snapshot;
      this.#open.add(table);
    }
    return [...changes, existed || change.kind === 'createTable' ? change : { kind: 'createTable', after }];
  }

  #ofTable(id: TableId): TopicTable | undefined {
    const topic = naturalTopic(this.#options.source, id);
    return this.#options.takes(topic) ? this.#options.topic(topic, id) : undefined;
  }

  #forget(table: TopicTable): void {
    this.#close(table);
    table.schema = undefined;
    table.created = false;
    table.hasRows = false;
    table.plan = undefined;
    table.last = undefined;
    this.#options.changed(table);
  }

  /** Of a topic whose name a transformation has made: its table follows the definition under its own name. */
  #routed(table: TopicTable, change: SchemaChange): readonly SchemaChange[] {
    const { schema, definedBy, id } = table;
    if (schema === undefined || definedBy === undefined || id === undefined || table.knowledge !== 'defined') return [];
    if (!('before' in change) || tableName(change.before) !== tableName(definedBy)) return [];
    switch (change.kind) {
      case 'truncateTable':
        return [{ kind: 'truncateTable', before: schema }];
      case 'alterTable': {
        const after = retitled(change.after, id);
        table.schema = after;
        table.plan = undefined;
        this.#options.changed(table);
        return [{ kind: 'alterTable', before: schema, after, columns: change.columns }];
      }
      case 'dropTable':
      case 'renameTable':
        return [];
    }
  }
}
