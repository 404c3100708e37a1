/** The recordings of real connectors; `recordings/README.md` has the form of the files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Flavor } from '../../src/cli/private-server.ts';
import { parseRecordLine, type GoldenRecord } from './golden-record.ts';

/** What a connector of the original wrote for some SQL. */
export interface Scenario {
  readonly flavor: Flavor;
  readonly name: string;
  readonly about: string;
  readonly databases: readonly string[];
  readonly connectorName: string;
  /** The posted configuration. */
  readonly connector: Readonly<Record<string, string>>;
  /** `topic.prefix`. */
  readonly prefix: string;
  readonly heartbeatTopic: string;
  /** What is not repeatable, in words; empty: nothing. */
  readonly ignore: string;
  /** Key and value were recorded with schemas, which were left out to save space. */
  readonly schemasLeftOut: boolean;
  /** States at the end. */
  readonly final: { readonly connector: string; readonly task: string | null; readonly trace?: string };
  /** Answers about the offsets at the `@offsets` marks. */
  readonly restOffsets: readonly { readonly after: string | null; readonly offsets: readonly unknown[] }[];
  /** Run before the connector was made. */
  readonly setup: string;
  /** Run once it streamed; see statements.ts. */
  readonly stream: string;
  readonly records: readonly GoldenRecord[];
  /** The connector's records in the worker's own topics, a line each: `{topic, partition, key, value}`. */
  readonly offsetLines: readonly string[];
  readonly configLines: readonly string[];
  readonly statusLines: readonly string[];
  /** Of the schema history: `{partition, offset, key, value}`. */
  readonly historyLines: readonly string[];
}

/** A line of a packed file: the scenario's files by name. */
type PackedScenario = Readonly<Record<string, string>>;

/** All scenarios of a flavor, by name. Their records are parsed when they are asked for. */
export function loadScenarios(flavor: Flavor): ReadonlyMap<string, Scenario> {
  const packed = readFileSync(join(import.meta.dirname, 'recordings', `${flavor}.jsonl.zst`));
  const lines = zstdDecompressSync(packed).toString('utf8').split('\n');
  const scenarios = lines.filter((line) => line !== '').map((line) => readScenario(flavor, JSON.parse(line) as PackedScenario));
  return new Map(scenarios.map((scenario) => [scenario.name, scenario]));
}

interface RecordedScenario {
  readonly name: string;
  readonly about: string;
  readonly database: string;
  readonly databases?: readonly string[];
  readonly connectorName: string;
  readonly connector: Readonly<Record<string, string>>;
  readonly final: Scenario['final'];
  readonly restOffsets?: Scenario['restOffsets'];
  readonly ignore?: string;
  readonly removed?: string;
}

function readScenario(flavor: Flavor, files: PackedScenario): Scenario {
  // The files are in the repository: the outline is known.
  const recorded = JSON.parse(files['scenario.json'] ?? '{}') as RecordedScenario;
  const lines = (file: string): readonly string[] => (files[file] ?? '').split('\n').filter((line) => line !== '');
  let records: readonly GoldenRecord[] | undefined;
  const prefix = recorded.connector['topic.prefix'] ?? '';
  return {
    flavor,
    name: recorded.name,
    about: recorded.about,
    databases: recorded.databases ?? [recorded.database],
    connectorName: recorded.connectorName,
    connector: recorded.connector,
    prefix,
    heartbeatTopic: `${recorded.connector['topic.heartbeat.prefix'] ?? '__debezium-heartbeat'}.${prefix}`,
    ignore: recorded.ignore ?? '',
    schemasLeftOut: recorded.removed?.startsWith('the schemas') ?? false,
    final: recorded.final,
    restOffsets: recorded.restOffsets ?? [],
    setup: files['setup.sql'] ?? '',
    stream: files['stream.sql'] ?? '',
    get records() {
      records ??= lines('events.jsonl').map(parseRecordLine);
      return records;
    },
    offsetLines: lines('connect-offsets.jsonl'),
    configLines: lines('connect-configs.jsonl'),
    statusLines: lines('connect-status.jsonl'),
    historyLines: lines('schema-history.jsonl'),
  };
}
