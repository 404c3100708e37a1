import { dirname } from 'node:path';
import { isMillraceError } from '../base/errors.ts';
import { verifyExitCode } from '../verify/verify.ts';
import type { RowDifference } from '../verify/verify.ts';
import { waitUntilCaughtUp } from './caught-up.ts';
import { readConnectorFiles } from './connector-files.ts';
import { checkConnectors } from './connectors.ts';
import { openControlClient } from './control-client.ts';
import type { VerifyParams } from './control-methods.ts';
import { defaultLogSettings } from './log-settings.ts';
import { makeFolder } from './make-folder.ts';
import { exitCodes, reportError } from './report-error.ts';
import { formatCount } from './table-text.ts';
import { createPaint, hasColors, writeOut } from './terminal.ts';
import type { Paint } from './terminal.ts';
import type { ReplicasReport, ReplicaVerdict } from './verify-replicas.ts';
import { startWorker } from './worker.ts';

export interface VerifyOptions {
  readonly data: string;
  readonly table?: readonly string[];
  readonly onePosition?: boolean;
  readonly maxDifferences: number;
  readonly json?: boolean;
}

/** `millrace verify`: 0 equal, 1 different, 2 could not tell. */
export async function verifyCommand(files: readonly string[], options: VerifyOptions): Promise<void> {
  const paint = createPaint(hasColors(process.stdout));
  const onTable = (verdict: ReplicaVerdict): void => {
    if (options.json !== true) writeOut(`${formatVerdict(verdict, paint)}\n`);
  };
  try {
    const report = await runVerify(files, options, onTable);
    if (options.json === true) writeOut(`${JSON.stringify(report)}\n`);
    else writeOut(`${formatSummary(report, paint)}\n`);
    process.exitCode = verifyExitCode(report);
  } catch (error) {
    reportError(error);
    // Whatever went wrong: it is not known whether they are equal.
    process.exitCode = exitCodes.undecided;
  }
}

async function runVerify(
  files: readonly string[],
  options: VerifyOptions,
  onTable: (verdict: ReplicaVerdict) => void,
): Promise<ReplicasReport> {
  const abort = new AbortController();
  const { signal } = abort;
  const params: VerifyParams = {
    tables: options.table ?? [],
    onePosition: options.onePosition ?? false,
    maxDifferences: options.maxDifferences,
  };
  try {
    return await openControlClient(options.data).call('verify', params, { onEvent: onTable, signal });
  } catch (error) {
    if (!isMillraceError(error, 'WORKER_NOT_RUNNING') || files.length === 0) throw error;
  }
  // Both sides meet at a position that the replica has yet to reach: a worker of our own brings it there.
  const connectors = checkConnectors(readConnectorFiles(files));
  for (const { file } of connectors.warehouses) makeFolder(dirname(file), 'the folder of the replica');
  const logging = { level: 'warn', format: 'text', color: hasColors(process.stderr) } as const;
  await using worker = await startWorker({ connectors, dataFolder: options.data, logging, logSettings: defaultLogSettings });
  const failed = worker.herder.failed.then((error) => Promise.reject(error));
  const work = async (): Promise<ReplicasReport> => {
    await waitUntilCaughtUp(worker, signal);
    return worker.handlers.verify(params, onTable, signal);
  };
  try {
    return await Promise.race([failed, work()]);
  } finally {
    // What waits for a source that has failed would wait for ever.
    abort.abort();
  }
}

/** A line per table, and one per difference that is named. */
export function formatVerdict(verdict: ReplicaVerdict, paint: Paint): string {
  const { sink, rows, equal, substitutions, differences, differenceCount, undecided, notCompared = [] } = verdict;
  const table = `${verdict.table} ${paint('dim', `in ${sink}`)}`;
  if (equal) {
    const replaced = substitutions === 0 ? '' : `, with ${formatCount(substitutions)} values that the replica cannot hold as NULL`;
    const left = notCompared.length === 0 ? '' : `; not compared, since masks or transformations change them: ${notCompared.join(', ')}`;
    return `${paint('green', 'equal')}      ${table}  ${formatCount(rows)} rows${replaced}${left}`;
  }
  if (undecided !== undefined && differenceCount === 0) return `${paint('yellow', 'undecided')}  ${table}  ${undecided}`;
  const head = `${paint('red', 'different')}  ${table}  ${undecided ?? `${formatCount(differenceCount)} of ${formatCount(rows)} rows`}`;
  const more = differenceCount - differences.length;
  const rest = more > 0 && differences.length > 0 ? [`             … and ${formatCount(more)} more`] : [];
  return [head, ...differences.map((difference) => `             ${formatDifference(difference)}`), ...rest].join('\n');
}

function formatDifference({ kind, key, columns }: RowDifference): string {
  const row = Object.entries(key)
    .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
    .join(', ');
  if (kind === 'missing') return `${row}: not in the replica`;
  if (kind === 'extra') return `${row}: not in the source`;
  return `${row}: ${columns.map(({ name, source, replica }) => `${name} is ${source ?? 'NULL'}, in the replica ${replica ?? 'NULL'}`).join('; ')}`;
}

export function formatSummary(report: ReplicasReport, paint: Paint): string {
  const code = verifyExitCode(report);
  const count = report.tables.length;
  const tables = `${count} ${count === 1 ? 'table' : 'tables'}, ${formatCount(report.tables.reduce((sum, table) => sum + table.rows, 0))} rows`;
  const isWhole = report.tables.every(({ notCompared }) => notCompared === undefined);
  if (code === exitCodes.ok) {
    const rest = isWhole ? '' : ' but those of columns that are named as not compared';
    return paint('green', `Equal: ${tables}, every value of every row${rest}.`);
  }
  const bad = report.tables.filter((table) => !table.equal).length;
  return code === exitCodes.failed ? paint('red', `Different: ${bad} of ${tables}.`) : paint('yellow', `Undecided: ${bad} of ${tables}.`);
}
