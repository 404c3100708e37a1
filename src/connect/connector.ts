import type { Logger } from '../base/logger.ts';
import type { TableId } from '../event/table-schema.ts';
import type { SinkTask, SourceState, SourceTask } from './tasks.ts';

/** A connector's configuration as posted: flat, all text. */
export type ConnectorProperties = Readonly<Record<string, string>>;

/** `{"name", "config"}`, Kafka Connect's own shape. */
export interface ConnectorConfig {
  readonly name: string;
  readonly config: ConnectorProperties;
}

export interface TaskContext {
  /** The connector's name. */
  readonly connector: string;
  readonly properties: ConnectorProperties;
  readonly log: Logger;
  /** Of the start of a source's task, a UUID of version 7; pauses keep it. */
  readonly run?: string;
  /**
   * Of a source: whether a sink keeps tables of its changes. Without one it reads no table anew whose rows alone are in
   * doubt: such rows are no records, and who reads the topics would lose the changes that they hold already. Absent: yes.
   */
  readonly keepsTables?: () => boolean;
  /** Of a sink whose records are decoded: the topic that a table's rows come from; undefined: `prefix.database.table`. */
  readonly topicOf?: (source: string, table: TableId) => string | undefined;
}

/** One entry of the plugin list: what `connector.class` names. */
export interface SourceConnector {
  readonly kind: 'source';
  readonly classNames: readonly string[];
  openTask(context: TaskContext & { readonly state: SourceState }, signal: AbortSignal): Promise<SourceTask>;
}

export interface SinkConnector {
  readonly kind: 'sink';
  readonly classNames: readonly string[];
  openTask(context: TaskContext, signal: AbortSignal): Promise<SinkTask>;
}
