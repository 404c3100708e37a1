import { MillraceError } from '../../base/errors.ts';
import type { GroupTopics, TopicEntry, TopicInfo } from '../topic-view.ts';
import { numberOf, textOf } from './database.ts';
import type { LogDatabase, Row, Statement } from './database.ts';
import { assertHeld, groupId, seqOf } from './group-id.ts';
import type { SourceTable } from './group-id.ts';

/** Reads the topics that `TopicCounters` keeps. */
export class TopicReader {
  readonly #database: LogDatabase;
  readonly #sources: SourceTable;
  readonly #selectTopics: Statement;
  readonly #selectTopic: Statement;
  readonly #selectIndex: Statement;
  readonly #tables = new Map<number, { readonly database: string; readonly table: string }>();

  constructor(database: LogDatabase, sources: SourceTable) {
    this.#database = database;
    this.#sources = sources;
    this.#selectTopics = database.prepare(`
      SELECT sources.name AS source, database, topics.name AS name, next, last_seq
      FROM topics JOIN sources ON sources.id = topics.source`);
    this.#selectTopic = database.prepare('SELECT database, name FROM topics WHERE id = ?');
    this.#selectIndex = database.prepare('SELECT id, topics FROM groups WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?');
  }

  topics(): readonly TopicInfo[] {
    return this.#selectTopics.all().map((row) => ({
      source: textOf(row['source']),
      database: textOf(row['database']),
      table: textOf(row['name']),
      nextOffset: numberOf(row['next']),
      lastSeq: numberOf(row['last_seq']),
    }));
  }

  groupTopics({ source, afterSeq, maxGroups }: { source: string; afterSeq: number; maxGroups: number }): readonly GroupTopics[] {
    return this.#database.read(() => {
      const extent = this.#sources.find(source);
      if (extent === undefined) return [];
      assertHeld(extent, afterSeq);
      const { sourceId, last } = extent;
      const rows = this.#selectIndex.all(groupId(sourceId, afterSeq + 1), groupId(sourceId, last), maxGroups);
      return rows.map((row) => ({ seq: seqOf(numberOf(row['id'])), entries: this.#readIndex(row) }));
    });
  }

  #readIndex(row: Row): readonly TopicEntry[] {
    const index: unknown = JSON.parse(textOf(row['topics']));
    if (!Array.isArray(index)) throw damagedIndex(row);
    return index.map((item: unknown) => {
      const fields: readonly unknown[] = Array.isArray(item) ? item : [];
      const [entry, topic, firstOffset, records] = fields;
      if (typeof entry !== 'number' || typeof topic !== 'number') throw damagedIndex(row);
      if (typeof firstOffset !== 'number' || typeof records !== 'number') throw damagedIndex(row);
      return { entry, ...this.#table(topic), firstOffset, records };
    });
  }

  #table(id: number): { readonly database: string; readonly table: string } {
    const known = this.#tables.get(id);
    if (known !== undefined) return known;
    const row = this.#selectTopic.get(id);
    const table = { database: textOf(row?.['database']), table: textOf(row?.['name']) };
    this.#tables.set(id, table);
    return table;
  }
}

function damagedIndex(row: Row): MillraceError {
  return new MillraceError('LOG_CORRUPT', `The index of topics of group ${seqOf(numberOf(row['id']))} is damaged`);
}
