import { copyRecord } from '../codec/connect-record.ts';
import { createDebeziumRenderer } from '../codec/debezium-renderer.ts';
import type { DebeziumRenderer } from '../codec/debezium-renderer.ts';
import type { CommitGroup } from '../connect/commit-group.ts';
import type { SerializedRecord } from '../connect/record.ts';
import type { Log } from '../log/log.ts';
import { recordOptions } from './source-catalog.ts';

/** Gives the records of groups of this log, those of tables rendered as their connector's properties say. */
export function createGroupRecords(
  log: Log,
): (group: CommitGroup) => readonly { readonly topic: string; readonly record: SerializedRecord }[] {
  const renderers = new Map<string, DebeziumRenderer>();
  return (group) => {
    let renderer = renderers.get(group.source);
    if (renderer === undefined) renderers.set(group.source, (renderer = createDebeziumRenderer(recordOptions(log, group.source))));
    const records: { readonly topic: string; readonly record: SerializedRecord }[] = [];
    for (const entry of group.entries) {
      if (entry.kind === 'records') for (const record of entry.records) records.push({ topic: entry.topic, record });
      else renderer.render(group, entry, (rendered) => records.push({ topic: rendered.topic, record: copyRecord(rendered) }));
    }
    return records;
  };
}
