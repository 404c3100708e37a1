/** Values that Debezium 3.6 recommends, in its order, which its complaints have, too. */
export const debeziumRecommended: Readonly<Record<string, readonly string[]>> = {
  'database.ssl.mode': ['verify_identity', 'disabled', 'preferred', 'required', 'verify_ca'],
  'event.processing.failure.handling.mode': ['warn', 'fail', 'ignore', 'skip'],
  'incremental.snapshot.watermarking.strategy': ['insert_delete', 'insert_insert'],
  'guardrail.collections.limit.action': ['warn', 'fail'],
  'decimal.handling.mode': ['string', 'double', 'precise'],
  'snapshot.mode': ['always', 'initial_only', 'configuration_based', 'when_needed', 'initial', 'custom', 'no_data', 'recovery'],
  'snapshot.query.mode': ['custom', 'select_all'],
  'bigint.unsigned.handling.mode': ['precise', 'long'],
  'time.precision.mode': ['adaptive', 'adaptive_time_microseconds', 'isostring', 'microseconds', 'nanoseconds', 'connect'],
  'schema.name.adjustment.mode': ['none', 'avro_unicode', 'avro'],
  'snapshot.locking.mode': ['minimal', 'minimal_percona', 'custom', 'none', 'minimal_percona_no_table_locks', 'extended'],
  'ddl.parser.type': ['default', 'legacy'],
  'snapshot.tables.order.by.row.count': ['disabled', 'ascending', 'descending'],
  'event.deserialization.failure.handling.mode': ['warn', 'fail', 'ignore', 'skip'],
  'inconsistent.schema.handling.mode': ['warn', 'fail', 'ignore', 'skip'],
};
