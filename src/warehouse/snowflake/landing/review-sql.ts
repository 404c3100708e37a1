import type { ConnectRecord } from '../../../connect/record.ts';
import { columnOf, formatOf } from './connector.ts';
import type { LandingConfig } from './landing-config.ts';
import { createLandingSql, mergeStatements, ownNames } from './merge-landed.ts';
import { createSteps } from './replica-steps.ts';
import { replicaOf } from './replica-table.ts';

/** All statements of a landing connector, as far as records tell what their tables are; what is missing is said in comments. */
export function reviewSql(config: LandingConfig, samples: ReadonlyMap<string, ConnectRecord>): readonly string[] {
  const { replicas, schematized, version, ingestion } = config;
  const format = formatOf(config);
  const lines: string[] = [];
  const end = (sql: string): string => `${sql};`;
  const topics = [...new Set([...config.topics, ...samples.keys()])].toSorted();
  if (topics.length === 0) lines.push('-- No topic is known: topics.regex names none, and there are no records. Give --data or --records.');
  for (const topic of topics) {
    const landing = format.placeOf(topic);
    const record = samples.get(topic);
    lines.push('', `-- topic ${topic}`);
    if (ingestion === 'streaming') {
      lines.push(`-- rows come through the pipe ${landing.table}-STREAMING, which Snowflake makes with the table`);
    }
    if (replicas === undefined) {
      lines.push(end(createLandingSql(landing, schematized)), '-- replica.runner is none: nothing else is made');
      continue;
    }
    if (record === undefined) {
      lines.push(end(createLandingSql(landing, schematized)));
      lines.push(
        '-- Its columns are not known: no record of it was found. Give --data of a log that has one, or --records with a file of them.',
      );
      continue;
    }
    const replica = replicaOf(record, {
      landing,
      schematized,
      version,
      letters: replicas.letters,
      form: replicas.form,
      columnOf: columnOf(config),
      nameOf: (table) => replicas.naming(topic.split('.')[0] ?? '', table),
    });
    if (typeof replica === 'string') {
      lines.push(end(createLandingSql(landing, schematized)), `-- no replica is kept: ${replica}`);
      continue;
    }
    lines.push(...createSteps(replica).map(({ sql }) => end(sql)));
    if (replicas.form.runner !== 'millrace') continue;
    lines.push('-- Millrace runs, when rows have landed:', 'BEGIN;');
    lines.push(...mergeStatements(replica, ownNames(replica).stream).map(end), 'COMMIT;');
  }
  return lines;
}
