/** `millrace snowflake-sql`: the statements that a landing connector runs, for review before it is let into an account. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { ConnectRecord } from '../connect/record.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { isLanding, readLandingConfig, type LandingConfig } from '../warehouse/snowflake/landing/landing-config.ts';
import { reviewSql } from '../warehouse/snowflake/landing/review-sql.ts';
import { openRecordReader } from '../worker/sink-pipeline.ts';
import { readConnectorFiles } from './connector-files.ts';
import { parseRecordLine } from './import/record-lines.ts';
import { createLandingIntake } from './landing-intake.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';
import { writeOut } from './terminal.ts';

export interface SnowflakeSqlOptions {
  readonly data: string;
  /** Files of records, a line each. */
  readonly records?: readonly string[];
}

/** Groups of the log that are looked at for records of each topic. */
const mostGroups = 20_000;

/** Connects to nothing: schemas come from the log of the data folder, or from files of records. */
export async function snowflakeSqlCommand(files: readonly string[], options: SnowflakeSqlOptions): Promise<void> {
  const connectors = readConnectorFiles(files).filter(isLanding);
  if (connectors.length === 0) {
    throw new MillraceError('CONFIG_INVALID', "None of the files has a connector of Snowflake's Kafka connector's classes.", {
      nextStep: 'The replica mode (io.millrace.SnowflakeSinkConnector) has no tasks and streams; docs/snowflake.md shows what it runs.',
    });
  }
  for (const connector of connectors) {
    const { config, notices } = readLandingConfig(connector);
    const samples =
      options.records === undefined
        ? await samplesOfLog(connector, config, options.data)
        : samplesOfFiles(connector, config, options.records);
    const lines = [`-- ${connector.name}`, ...notices.map(({ text }) => `-- ${text}`), ...reviewSql(config, samples)];
    writeOut(`${lines.join('\n')}\n`);
  }
}

/** Of each topic the last record with a value: its schemas are those that hold now. */
function samplesOfFiles(
  { config: properties }: ConnectorConfig,
  { takes }: LandingConfig,
  files: readonly string[],
): ReadonlyMap<string, ConnectRecord> {
  const read = openRecordReader(properties);
  const samples = new Map<string, ConnectRecord>();
  for (const file of files) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line.trim() === '') continue;
      const stored = parseRecordLine(Buffer.from(line, 'utf8'), '');
      if (!takes(stored.topic)) continue;
      const record = read(stored);
      if (record !== null && record.value !== null) samples.set(record.topic, record);
    }
  }
  return samples;
}

async function samplesOfLog(
  { name, config: properties }: ConnectorConfig,
  { takes }: LandingConfig,
  data: string,
): Promise<ReadonlyMap<string, ConnectRecord>> {
  const samples = new Map<string, ConnectRecord>();
  if (!existsSync(join(data, 'log', 'log.sqlite'))) return samples;
  const { signal } = new AbortController();
  await using log = await openEmbeddedLog(embeddedLogOptions(data, defaultLogSettings), signal);
  // what cannot be read is passed over here: nothing is written
  const intake = createLandingIntake({
    connector: name,
    properties: { ...properties, 'errors.tolerance': 'all' },
    logger: silentLogger,
    log,
  });
  for (const source of log.sources()) {
    let afterSeq = (log.range(source)?.first ?? 1) - 1;
    for (let seen = 0; seen < mostGroups;) {
      const groups = log.read({ source, afterSeq, maxBytes: 4 << 20 });
      if (groups.length === 0) break;
      for (const group of groups) {
        for (const each of await intake.take(group, signal)) {
          if (each.kind === 'record' && each.record !== null && each.record.value !== null && takes(each.record.topic)) {
            samples.set(each.record.topic, each.record);
          }
        }
        afterSeq = group.seq;
      }
      seen += groups.length;
    }
  }
  return samples;
}
