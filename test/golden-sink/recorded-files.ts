import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Flavor } from '../../src/cli/private-server.ts';
import { parseRecordLine, type TopicRecord } from '../../src/cli/import/record-lines.ts';

/** The files of a recorded scenario, as they are; `../golden/recordings/README.md` has their form. */
export interface RecordedFiles {
  readonly name: string;
  readonly flavor: Flavor;
  readonly databases: readonly string[];
  readonly connector: Readonly<Record<string, string>>;
  /** Key and value were recorded with schemas, which were left out to save space; or without any. */
  readonly withoutSchemas: boolean;
  readonly setup: string;
  readonly stream: string;
  readonly events: readonly TopicRecord[];
  readonly history: readonly TopicRecord[];
}

export const historyTopic = 'schema-history';

export function loadRecordedFiles(flavor: Flavor): readonly RecordedFiles[] {
  const packed = readFileSync(join(import.meta.dirname, '..', 'golden', 'recordings', `${flavor}.jsonl.zst`));
  const lines = zstdDecompressSync(packed).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => readFiles(flavor, JSON.parse(line) as Readonly<Record<string, string>>));
}

interface Recorded {
  readonly name: string;
  readonly database: string;
  readonly databases?: readonly string[];
  readonly connector: Readonly<Record<string, string>>;
  readonly removed?: string;
}

function readFiles(flavor: Flavor, files: Readonly<Record<string, string>>): RecordedFiles {
  // The files are in the repository: the outline is known.
  const { name, database, databases, connector, removed = '' } = JSON.parse(files['scenario.json'] ?? '{}') as Recorded;
  const records = (file: string): readonly TopicRecord[] =>
    (files[file] ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseRecordLine(Buffer.from(line, 'utf8'), historyTopic));
  return {
    name,
    flavor,
    databases: databases ?? [database],
    connector,
    withoutSchemas: removed.startsWith('the schemas') || connector['value.converter.schemas.enable'] === 'false',
    setup: files['setup.sql'] ?? '',
    stream: files['stream.sql'] ?? '',
    events: records('events.jsonl'),
    history: records('schema-history.jsonl'),
  };
}
