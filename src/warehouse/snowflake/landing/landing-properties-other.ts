import type { ConfigDef } from '../../../config/config-def.ts';
import { properties } from '../../../config/connect-properties.ts';

/**
 * Properties of Snowflake's Kafka connector, versions 2 to 4, that the task does not read: what becomes of them, and why.
 * Source: Constants and ConnectorConfigDefinition of snowflake-kafka-connector 2.5, 3.5 and 4.1.
 */
export const otherLandingProperties: ConfigDef = {
  ...properties('not needed', 'Rows and offsets are committed together, whatever the way in.', {
    'snowflake.streaming.validate.compatibility.with.classic': [
      'boolean',
      'true',
      'low',
      'Whether a start is refused until changed defaults are written out.',
    ],
    'snowflake.open.channel.io.threads': ['int', '50', 'low', 'Channels that are opened side by side.'],
    'snowflake.cache.table.exists': ['boolean', 'true', 'low', 'Whether it is remembered that a table exists.'],
    'snowflake.cache.table.exists.expire.ms': ['long', '300000', 'low', 'How long.'],
    'snowflake.cache.pipe.exists': ['boolean', 'true', 'low', 'Whether it is remembered that a pipe exists.'],
    'snowflake.cache.pipe.exists.expire.ms': ['long', '300000', 'low', 'How long.'],
    'snowflake.streaming.enable.single.buffer': ['boolean', 'true', 'low', 'Whether the buffer.* properties are ignored.'],
    'snowflake.streaming.max.memory.limit.bytes': ['long', '-1', 'low', 'Memory of the SDK.'],
    'enable.streaming.client.optimization': ['boolean', 'true', 'low', 'Whether tasks share a client.'],
    'enable.streaming.channel.offset.verification': ['boolean', 'true', 'low', 'Whether gaps of offsets are warned about.'],
    'snowflake.streaming.closeChannelsInParallel.enabled': ['boolean', 'true', 'low', 'Whether channels are closed side by side.'],
    'snowflake.snowpipe.v2CleanerEnabled': ['boolean', 'true', 'low', 'Cleaner of the stage.'],
    'snowflake.snowpipe.v2CleanerThreads': ['int', '1', 'low', 'Its threads.'],
    'snowflake.snowpipe.v2CleanerIntervalSeconds': ['int', '61', 'low', 'How often it runs.'],
    'snowflake.feature.assert.partition.assignment': ['boolean', 'false', 'low', 'A check of assigned partitions.'],
    'snowflake.feature.precommit.client.recovery': ['boolean', 'false', 'low', 'How broken clients are replaced.'],
    provider: ['string', 'UNKNOWN', 'low', 'Who runs Kafka, for telemetry.'],
    jmx: ['boolean', 'true', 'low', 'Whether there are MBeans. Metrics are at /metrics.'],
    'snowflake.streaming.metrics.prometheus.enable': ['boolean', 'false', 'low', 'Whether the SDK serves metrics. They are at /metrics.'],
    'snowflake.streaming.metrics.prometheus.port': ['int', undefined, 'low', 'Where.'],
    'snowflake.streaming.metrics.prometheus.host': ['string', undefined, 'low', 'Where.'],
    'enable.mdc.logging': ['boolean', 'false', 'low', 'Whether log lines have the context of the connector. They always have.'],
    'snowflake.oauth.include.scope': ['boolean', 'false', 'low', 'Whether a scope is asked for: it is if snowflake.oauth.scope is set.'],
  }),
  ...properties(
    'not needed',
    'There are no channels of an earlier version to go on from: a new connector lands its topics from their begin.',
    {
      'snowflake.streaming.classic.offset.migration': [
        'string',
        'skip',
        'low',
        "Whether offsets of version 3's channels are taken over: skip, best_effort, strict.",
      ],
      'snowflake.streaming.classic.offset.migration.include.connector.name': ['boolean', 'false', 'low', 'How those channels are named.'],
      'enable.streaming.channel.offset.migration': ['boolean', 'false', 'low', 'Whether channels with older names are taken over.'],
      'snowflake.streaming.channel.name.include.connector.name': ['boolean', 'false', 'low', 'How channels are named.'],
    },
  ),
  ...properties('no effect', 'Use buffer.flush.time.', {
    'snowflake.streaming.max.client.lag': ['string', '30', 'low', 'How long the SDK may hold rows.'],
  }),
  ...properties('no effect', 'Use millrace.ingestion: copy, or streaming.', {
    'snowflake.ingestion.method': [
      'string',
      'SNOWPIPE',
      'medium',
      'How rows get in: SNOWPIPE (files), SNOWPIPE_STREAMING.',
      ['snowpipe_streaming'],
    ],
  }),
  ...properties('no effect', 'Missing rights end the task with the GRANT that is needed; it is started again by the API.', {
    'enable.task.fail.on.authorization.errors': [
      'boolean',
      'false',
      'low',
      'Whether missing rights end the task; else it retries.',
      ['true'],
    ],
  }),
  ...properties('no effect', "Values are checked where records are decoded, by Millrace's own rules.", {
    'snowflake.validation': ['string', 'server_side', 'low', 'Where types are checked: server_side, client_side.'],
    'snowflake.feature.normalize.time': ['boolean', 'false', 'low', 'How times are written.'],
    'snowflake.feature.validation.error.table.name': ['string', undefined, 'low', 'Table of rows that were refused.'],
  }),
  ...properties('refused', 'The driver is no JDBC driver. Use the properties of this connector.', {
    'snowflake.jdbc.map': ['string', '', 'low', 'Further properties of the JDBC connection.'],
  }),
  ...properties('refused', 'Iceberg tables are not written by this version.', {
    'snowflake.iceberg.create.table.options': ['string', '', 'low', 'End of CREATE ICEBERG TABLE.'],
    'snowflake.streaming.iceberg.enabled': ['boolean', 'false', 'low', 'Whether landing tables are Iceberg tables.'],
  }),
  ...properties('refused', 'RECORD_METADATA is a VARIANT.', {
    'snowflake.feature.structured.record.metadata.enabled': ['boolean', 'false', 'low', 'Whether it is a structured object.'],
  }),
  ...properties(
    'no effect',
    "There is no SDK whose settings could be overridden; Millrace's client of the REST API has the properties above.",
    {
      'snowflake.streaming.client.provider.override.map': ['string', '', 'low', 'Settings of the streaming SDK.'],
    },
  ),
};
