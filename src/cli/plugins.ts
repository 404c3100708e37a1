/** The connectors that there are. Adding one is a line here. */
import { MillraceError } from '../base/errors.ts';
import type { ConnectorConfig, SinkConnector, SourceConnector } from '../connect/connector.ts';
import { fileSinkConnector } from '../file/file-sink.ts';
import { createFileSource } from '../file/file-source.ts';
import { converterOf } from '../codec/converters.ts';
import { mysqlSource } from '../mysql/connector.ts';
import { duckdbSinkConnectorClass } from '../warehouse/duckdb/sink-config.ts';
import { landingClasses } from '../warehouse/snowflake/landing/landing-config.ts';
import { snowflakeSinkConnectorClass } from '../warehouse/snowflake/sink-config.ts';

const fileSource = createFileSource({
  converters: (properties) => ({ key: converterOf('key', properties), value: converterOf('value', properties) }),
});

/**
 * Its library is loaded where it is used, and nowhere else: a thread that ends while the native code in it has something to
 * clean up takes the process with it.
 */
const duckdbSink: SinkConnector = {
  kind: 'sink',
  classNames: [duckdbSinkConnectorClass],
  async openTask(context, signal) {
    const { duckdbSinkConnector } = await import('../warehouse/duckdb/connector.ts');
    return duckdbSinkConnector.openTask(context, signal);
  },
};

/** Run by its own thread, which loads the driver. */
const snowflakeSink: SinkConnector = {
  kind: 'sink',
  classNames: [snowflakeSinkConnectorClass],
  async openTask(context, signal) {
    const { createSnowflakeSinkConnector } = await import('../warehouse/snowflake/connector.ts');
    const onResync = (source: string, table: string, reason: string): void =>
      context.log.warn({ source, table, reason }, 'table needs a resync');
    return createSnowflakeSinkConnector({ onResync }).openTask(context, signal);
  },
};

/** Its name, for those that do not open it. */
const landingSink: SinkConnector = {
  kind: 'sink',
  classNames: Object.keys(landingClasses),
  openTask() {
    throw new MillraceError('INTERNAL', 'A landing sink is opened in a thread of its own.');
  },
};

const plugins: readonly (SourceConnector | SinkConnector)[] = [
  mysqlSource,
  duckdbSink,
  snowflakeSink,
  landingSink,
  fileSource,
  fileSinkConnector,
];

/** @throws CONFIG_INVALID naming the classes that there are */
export function findPlugin({ name, config }: ConnectorConfig): SourceConnector | SinkConnector {
  const className = config['connector.class']?.trim() ?? '';
  const plugin = plugins.find((each) => each.classNames.includes(className));
  if (plugin !== undefined) return plugin;
  const known = plugins.flatMap((each) => each.classNames).join(', ');
  const what = className === '' ? 'has no connector.class' : `has the unknown connector.class "${className}"`;
  throw new MillraceError('CONFIG_INVALID', `Connector "${name}" ${what}.`, { nextStep: `Use one of: ${known}.` });
}

export function findSource(connector: ConnectorConfig): SourceConnector {
  const plugin = findPlugin(connector);
  if (plugin.kind === 'source') return plugin;
  throw new MillraceError('CONFIG_INVALID', `Connector "${connector.name}" is no source.`);
}

export function findSink(connector: ConnectorConfig): SinkConnector {
  const plugin = findPlugin(connector);
  if (plugin.kind === 'sink') return plugin;
  throw new MillraceError('CONFIG_INVALID', `Connector "${connector.name}" is no sink.`);
}
