/* The schemas of the schema-change topic's records, as JsonConverter prints them. */

const columnSchema =
  '{"type":"struct","fields":[{"type":"string","optional":false,"field":"name"},' +
  '{"type":"int32","optional":false,"field":"jdbcType"},{"type":"int32","optional":true,"field":"nativeType"},' +
  '{"type":"string","optional":false,"field":"typeName"},{"type":"string","optional":true,"field":"typeExpression"},' +
  '{"type":"string","optional":true,"field":"charsetName"},{"type":"int32","optional":true,"field":"length"},' +
  '{"type":"int32","optional":true,"field":"scale"},{"type":"int32","optional":false,"field":"position"},' +
  '{"type":"boolean","optional":true,"field":"optional"},{"type":"boolean","optional":true,"field":"autoIncremented"},' +
  '{"type":"boolean","optional":true,"field":"generated"},{"type":"string","optional":true,"field":"comment"},' +
  '{"type":"string","optional":true,"field":"defaultValueExpression"},' +
  '{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"enumValues"}],"optional":false,"name":"io.debezium.connector.schema.Column","version":1}';

const tableSchema =
  '{"type":"struct","fields":[{"type":"string","optional":true,"field":"defaultCharsetName"},' +
  '{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"primaryKeyColumnNames"},' +
  `{"type":"array","items":${columnSchema},"optional":false,"field":"columns"},` +
  '{"type":"string","optional":true,"field":"comment"}],"optional":true,"name":"io.debezium.connector.schema.Table","version":1,"field":"table"}';

type Connector = 'mysql' | 'mariadb';

function sourceSchema(connector: Connector): string {
  return (
    '{"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},' +
    '{"type":"string","optional":false,"field":"connector"},{"type":"string","optional":false,"field":"name"},' +
    '{"type":"int64","optional":false,"field":"ts_ms"},' +
    '{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"},' +
    '{"type":"string","optional":false,"field":"db"},{"type":"string","optional":true,"field":"sequence"},' +
    '{"type":"int64","optional":true,"field":"ts_us"},{"type":"int64","optional":true,"field":"ts_ns"},' +
    '{"type":"string","optional":true,"field":"table"},{"type":"int64","optional":false,"field":"server_id"},' +
    '{"type":"string","optional":true,"field":"gtid"},{"type":"string","optional":false,"field":"file"},' +
    '{"type":"int64","optional":false,"field":"pos"},{"type":"int32","optional":false,"field":"row"},' +
    '{"type":"int64","optional":true,"field":"thread"},' +
    `{"type":"string","optional":true,"field":"query"}],"optional":false,"name":"io.debezium.connector.${connector}.Source","version":1,"field":"source"}`
  );
}

export function schemaChangeKeySchema(connector: Connector): string {
  return `{"type":"struct","fields":[{"type":"string","optional":false,"field":"databaseName"}],"optional":false,"name":"io.debezium.connector.${connector}.SchemaChangeKey","version":1}`;
}

export function schemaChangeValueSchema(connector: Connector): string {
  return (
    `{"type":"struct","fields":[${sourceSchema(connector)},{"type":"int64","optional":false,"field":"ts_ms"},` +
    '{"type":"string","optional":true,"field":"databaseName"},{"type":"string","optional":true,"field":"schemaName"},' +
    '{"type":"string","optional":true,"field":"ddl"},' +
    '{"type":"array","items":{"type":"struct","fields":[{"type":"string","optional":false,"field":"type"},' +
    `{"type":"string","optional":false,"field":"id"},${tableSchema}],"optional":false,"name":"io.debezium.connector.schema.Change","version":1},"optional":false,"field":"tableChanges"}],"optional":false,"name":"io.debezium.connector.${connector}.SchemaChangeValue","version":1}`
  );
}
