import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../warehouse/duckdb/replica.ts';
import type { QueryAnswer } from '../worker/thread-messages.ts';
import { openControlClient } from './control-client.ts';
import { readReplicaFiles } from './replica-files.ts';
import { formatCount, formatTable } from './table-text.ts';
import { createPaint, hasColors, writeOut } from './terminal.ts';

export interface QueryOptions {
  readonly data: string;
  readonly file?: string;
  readonly sink?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `millrace query`: through the running worker, else on the file itself. */
export async function queryCommand(sql: string, options: QueryOptions): Promise<void> {
  const answer = await ask(sql, options);
  if (options.json === true) {
    writeOut(answer.rows.map((row) => `${rowAsJson(answer, row)}\n`).join(''));
    if (answer.truncated) process.stderr.write(`There are more rows than ${options.limit}; --limit shows them.\n`);
    return;
  }
  const paint = createPaint(hasColors(process.stdout));
  const columns = answer.columns.map(({ name, type }) => ({ name, right: isNumeric(type) }));
  writeOut(`${formatTable(columns, answer.rows, paint)}\n`);
  const count = answer.rows.length;
  const more = answer.truncated
    ? `the first ${formatCount(count)} rows; --limit shows more`
    : `${formatCount(count)} ${count === 1 ? 'row' : 'rows'}`;
  writeOut(`${paint('dim', `(${more})`)}\n`);
}

async function ask(sql: string, { data, file: given, sink, limit }: QueryOptions): Promise<QueryAnswer> {
  // the worker knows its files by their whole paths
  const file = given === undefined ? undefined : resolve(given);
  const { signal } = new AbortController();
  const params = { sql, maxRows: limit, ...(file === undefined ? {} : { file }), ...(sink === undefined ? {} : { sink }) };
  try {
    return await openControlClient(data).call('query', params, { signal });
  } catch (error) {
    if (sink !== undefined || !(await isFree(error, data, file))) throw error;
    const files = file === undefined ? readReplicaFiles(data) : [file];
    const [alone] = files;
    if (alone === undefined) throw error;
    if (files.length > 1) throw severalReplicas(files);
    if (!existsSync(alone)) throw new MillraceError('WORKER_NOT_RUNNING', `No worker runs on ${data}, and there is no replica ${alone}.`);
    await using replica = await openDuckDbReplica({ ...defaultReplicaOptions, file: alone }, silentLogger, signal);
    return await replica.query(sql, { maxRows: limit }, signal);
  }
}

/** Whether no worker holds the file: none runs, or its sinks on the file are stopped. */
async function isFree(error: unknown, data: string, file: string | undefined): Promise<boolean> {
  if (isMillraceError(error, 'WORKER_NOT_RUNNING')) return true;
  if (!isMillraceError(error, 'WORKER_REFUSED')) return false;
  const { files } = await openControlClient(data).call('status', null, { signal: new AbortController().signal });
  return file === undefined ? files.length === 0 : !files.includes(file);
}

function severalReplicas(files: readonly string[]): MillraceError {
  return new MillraceError('CONFIG_INVALID', 'There are several replicas.', { nextStep: `Name one with --file: ${files.join(', ')}.` });
}

function isNumeric(type: string): boolean {
  return /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DECIMAL.*|NUMBER.*|FLOAT|DOUBLE|REAL)$/.test(type);
}

/** Numbers with all their digits, booleans and JSON as such; everything else as text. */
export function rowAsJson({ columns }: Pick<QueryAnswer, 'columns'>, row: readonly (string | null)[]): string {
  const members = columns.map(({ name, type }, at) => {
    const value = row[at] ?? null;
    return `${JSON.stringify(name)}:${value === null ? 'null' : valueAsJson(type, value)}`;
  });
  return `{${members.join(',')}}`;
}

function valueAsJson(type: string, value: string): string {
  if (isNumeric(type) && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)) return value;
  if (type === 'BOOLEAN') return value;
  if (['JSON', 'VARIANT', 'OBJECT', 'ARRAY'].includes(type)) return value;
  return JSON.stringify(value);
}
