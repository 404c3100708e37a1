import { parsedOrThrow, readConfig } from '../../config/config-def.ts';
import type { ConfigNotice, ConnectorDef } from '../../config/config-def.ts';
import type { ConnectorConfig } from '../../connect/connector.ts';
import { recordFamilies, recordSinkProperties } from '../record-properties.ts';
import { invalidTemporalOf, topicsTaken } from '../replica-properties.ts';
import { createNaming, type ReplicaNaming } from '../replica-names.ts';
import type { InvalidTemporal } from '../table-record.ts';
import type { ReplicaOptions } from './replica.ts';
import { duckdbSinkProperties } from './sink-properties.ts';

export const duckdbSinkConnectorClass = 'io.millrace.DuckDbSinkConnector';

/** A DuckDB sink connector's configuration, parsed and checked. */
export interface DuckDbSinkConfig {
  readonly name: string;
  /** As it was given. */
  readonly file: string;
  readonly replica: ReplicaOptions;
  /** `topics` or `topics.regex`. */
  readonly takes: (topic: string) => boolean;
  readonly naming: ReplicaNaming;
  readonly invalidTemporal: InvalidTemporal;
  readonly flushRows: number;
  readonly flushBytes: number;
}

export interface SinkConfigReading {
  readonly config: DuckDbSinkConfig;
  /** What to tell the user, once, at start. */
  readonly notices: readonly ConfigNotice[];
}

const duckdbSinkDef: ConnectorDef<typeof duckdbSinkProperties> = {
  definition: duckdbSinkProperties,
  others: recordSinkProperties,
  families: recordFamilies,
};

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem */
export function readSinkConfig({ name, config }: ConnectorConfig): SinkConfigReading {
  const reading = readConfig(duckdbSinkDef, { ...config, name });
  const values = parsedOrThrow(reading, name);
  const tempDirectory = values['duckdb.temp.directory'];
  return {
    config: {
      name,
      file: values['duckdb.file'],
      replica: {
        file: values['duckdb.file'],
        memoryLimit: values['duckdb.memory.limit'],
        threads: values['duckdb.threads'],
        checkpointThreshold: values['duckdb.checkpoint.threshold'],
        ...(tempDirectory === '' ? {} : { tempDirectory }),
      },
      takes: topicsTaken(name, values.topics, values['topics.regex']),
      naming: createNaming({ format: values['replica.name.format'], map: values['replica.name.map'] }),
      invalidTemporal: invalidTemporalOf(values['temporal.invalid.handling']),
      flushRows: values['flush.max.rows'],
      flushBytes: values['flush.max.bytes'],
    },
    notices: reading.notices,
  };
}
