/**
 * Transcripts of Kafka Connect 4.3's REST API, as it answered with Debezium MySQL 3.6.1, MariaDB 3.5.0 and Kafka's file
 * connectors: a file for each group, one JSON object a line. Lines of a scenario follow one another by `step`; scenarios do
 * not depend on each other. Texts of property documentation are taken out.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** In the order in which they are replayed. Two workers (`cluster`) belong to Kafka as the log. */
export const groups = [
  'root',
  'http',
  'missing',
  'create',
  'invalid',
  'list',
  'config',
  'lifecycle',
  'restart',
  'failed',
  'offsets',
  'plugins',
  'validate',
  'loggers',
  'providers',
  'names',
  'settings',
] as const;
export type Group = (typeof groups)[number];

/** The worker that was asked: `a`, `d` with other settings, or the admin listener of `d`. */
export type Asked = 'a' | 'd' | 'd-admin';

export interface Answer {
  readonly status: number;
  /** Without date, server and connection. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bodyText?: string;
  /** JSON paths whose value differs from run to run. */
  readonly varies: readonly string[];
}

interface Line {
  readonly group: Group;
  readonly scenario: string;
  readonly step: number;
}

export interface Request extends Line {
  readonly name: string;
  readonly on: Asked;
  readonly method: string;
  readonly path: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly requestBody?: unknown;
  readonly requestText?: string;
}

/** Asked once. */
export interface Exchange extends Request, Answer {
  readonly kind: 'exchange';
  /** A validation of which only what differs from the defaults was kept, besides the names of all properties. */
  readonly bodyReduced?: boolean;
}

/** Asked until it settled; `seen` are the answers that differ from the one before. */
export interface Watch extends Request {
  readonly kind: 'watch';
  readonly settled: boolean;
  readonly seen: readonly (Answer & { readonly ms: number })[];
}

/** Asked until so, for what follows. */
export interface Wait extends Request, Answer {
  readonly kind: 'wait';
}

/** Done outside of the API. */
export interface Action extends Line {
  readonly kind: 'action';
  readonly what: string;
  readonly detail?: string;
}

/** Connectors that were deleted after the scenario. */
export interface Cleanup extends Line {
  readonly kind: 'cleanup';
}

export type Step = Exchange | Watch | Wait | Action | Cleanup;

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

export function readTranscript(group: Group): readonly Scenario[] {
  const text = gunzipSync(readFileSync(join(import.meta.dirname, 'recordings', `${group}.jsonl.gz`))).toString('utf8');
  const steps = text
    .split('\n')
    .filter((line) => line !== '')
    // The recordings are part of the repository and have this form.
    .map((line) => JSON.parse(line) as Step);
  return [...Map.groupBy(steps, (step) => step.scenario)].map(([name, own]) => ({ name, steps: own }));
}
