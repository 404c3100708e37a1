import type { Logger } from '../base/logger.ts';
import type { ConnectorConfig, SinkConnector } from '../connect/connector.ts';
import type { EmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { openDdlReader } from '../mysql/ddl/offline-ddl.ts';
import type { SinkParts } from '../worker/served-sink.ts';
import { needsPipeline } from '../worker/sink-pipeline.ts';
import { createSinkRecords } from '../worker/sink-records.ts';
import { recordOptions, sourceNote, writesRecords } from './source-catalog.ts';

export interface TableSinkOptions {
  readonly connector: SinkConnector;
  readonly log: EmbeddedLog;
  readonly logger: Logger;
  /** Tables of a source (`database.table`; none: all) cannot go on from the log. */
  readonly onResync: (source: string, tables: readonly string[], reason: string) => void;
}

/** What runs a sink of tables: its records are decoded where there are any, and one that begins late asks for a snapshot. */
export function tableSinkParts(
  { connector, log, logger, onResync }: TableSinkOptions,
  { name, config: properties }: ConnectorConfig,
): SinkParts {
  const own = logger.child({ connector: name });
  const records = createSinkRecords({
    connector: name,
    properties,
    logger: own,
    openDdlReader,
    debeziumOf: (source) => recordOptions(log, source),
    sourceOf: (source) => sourceNote(log, source) ?? { flavor: 'mysql', properties: {} },
  });
  return {
    connector,
    records,
    lateStarts: {
      // what records make of a snapshot is no snapshot of tables
      startGone: (source) => (needsPipeline(properties) || writesRecords(log, source) ? 'fail' : 'snapshot'),
      ask: (source, reason) => onResync(source, [], reason),
    },
    context: { connector: name, properties, log: own, topicOf: (source, table) => records.topicOf(source, table) },
  };
}
