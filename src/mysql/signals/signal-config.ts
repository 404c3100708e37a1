import type { TableId } from '../../event/table-schema.ts';

/** Signals and notifications of a source. */
export interface SignalConfig {
  readonly channels: ReadonlySet<'source' | 'kafka' | 'file'>;
  /** `signal.data.collection`: rows inserted there are signals. */
  readonly collection: TableId | undefined;
  /** `signal.kafka.topic`. */
  readonly topic: string;
  /** `signal.file`. */
  readonly file: string;
  readonly pollMs: number;
  /** Rows of a chunk of an incremental snapshot. */
  readonly chunkRows: number;
  /** `incremental.snapshot.watermarking.strategy`. */
  readonly deletesWatermarks: boolean;
  /** Nothing is written to the server. */
  readonly readOnly: boolean;
  /** Topic of `notification.sink.topic.name`, if that channel is enabled. */
  readonly notificationTopic: string | undefined;
  readonly logsNotifications: boolean;
}

export interface SignalProperties {
  readonly 'topic.prefix': string;
  readonly 'signal.enabled.channels': readonly string[];
  readonly 'signal.data.collection': string | undefined;
  readonly 'signal.kafka.topic': string | undefined;
  readonly 'signal.file': string;
  readonly 'signal.poll.interval.ms': number;
  readonly 'incremental.snapshot.chunk.size': number;
  readonly 'incremental.snapshot.watermarking.strategy': string;
  readonly 'read.only': boolean;
  readonly 'notification.enabled.channels': readonly string[];
  readonly 'notification.sink.topic.name': string | undefined;
}

export function readSignalConfig(values: SignalProperties): SignalConfig {
  const channels = new Set(values['signal.enabled.channels'].map((name) => name.toLowerCase()));
  const collection = values['signal.data.collection'];
  const dot = collection?.indexOf('.') ?? -1;
  const notifications = values['notification.enabled.channels'].map((name) => name.toLowerCase());
  return {
    channels: new Set((['source', 'kafka', 'file'] as const).filter((name) => channels.has(name))),
    collection: collection === undefined || dot <= 0 ? undefined : { database: collection.slice(0, dot), table: collection.slice(dot + 1) },
    topic: values['signal.kafka.topic'] ?? `${values['topic.prefix']}-signal`,
    file: values['signal.file'],
    pollMs: values['signal.poll.interval.ms'],
    chunkRows: values['incremental.snapshot.chunk.size'],
    deletesWatermarks: values['incremental.snapshot.watermarking.strategy'].toLowerCase() === 'insert_delete',
    readOnly: values['read.only'],
    notificationTopic: notifications.includes('sink') ? values['notification.sink.topic.name'] : undefined,
    logsNotifications: notifications.includes('log'),
  };
}
