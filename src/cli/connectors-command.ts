import { readFileSync } from 'node:fs';
import { MillraceError } from '../base/errors.ts';
import type { ConnectorInfo, ConnectorOffsets, ConnectorStatus } from '../worker/connect-service.ts';
import { createConnectClient } from './connect-client.ts';
import { readUnresolvedFiles } from './connector-files.ts';
import { exitCodes } from './report-error.ts';
import { formatTable } from './table-text.ts';
import { createPaint, hasColors, writeOut } from './terminal.ts';
import type { Paint } from './terminal.ts';

export interface ConnectorsOptions {
  readonly url: string;
  readonly json?: boolean;
}

export interface CreateOptions extends ConnectorsOptions {
  readonly state?: string;
  readonly replace?: boolean;
}

export interface RestartOptions extends ConnectorsOptions {
  readonly tasks?: boolean;
  readonly onlyFailed?: boolean;
}

export interface OffsetsOptions extends ConnectorsOptions {
  readonly set?: string;
  readonly reset?: boolean;
}

/** `{"name": {"info", "status"}}` of `GET /connectors?expand=info&expand=status`; a status may be missing for a moment. */
type Expanded = Readonly<Record<string, { readonly info: ConnectorInfo; readonly status?: ConnectorStatus }>>;

/** `millrace connectors list`. */
export async function listConnectors({ url, json }: ConnectorsOptions): Promise<void> {
  const expanded = await ask<Expanded>(url, '/connectors?expand=info&expand=status');
  if (json === true) return print(expanded);
  const paint = createPaint(hasColors(process.stdout));
  const rows = Object.entries(expanded)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { info, status }]) => [
      name,
      info.type,
      status?.connector.state ?? 'starting',
      (status?.tasks ?? []).map((task) => task.state).join(' '),
      info.config['connector.class'] ?? '',
    ]);
  const columns = ['name', 'type', 'state', 'tasks', 'class'].map((name) => ({ name }));
  writeOut(rows.length === 0 ? 'no connectors\n' : `${formatTable(columns, rows, paint)}\n`);
}

/** `millrace connectors create`: of all files given, in their order. */
export async function createConnectors(files: readonly string[], { url, json, state, replace }: CreateOptions): Promise<void> {
  const client = createConnectClient(url);
  for (const { connector, initialState } of readUnresolvedFiles(files)) {
    const { name, config } = connector;
    const first = state ?? initialState;
    const info =
      replace === true
        ? await client.call('PUT', `${pathOf(name)}/config`, config)
        : await client.call('POST', '/connectors', { name, config, ...(first === undefined ? {} : { initial_state: first }) });
    if (json === true) print(info);
    else writeOut(`${name}: ${replace === true ? 'configured' : 'created'}\n`);
  }
}

/** `millrace connectors status`: exit code 1 when something has failed. */
export async function showStatus(name: string, { url, json }: ConnectorsOptions): Promise<void> {
  const status = await ask<ConnectorStatus>(url, `${pathOf(name)}/status`);
  if (json === true) print(status);
  else writeOut(`${formatConnector(status, createPaint(hasColors(process.stdout)))}\n`);
  const failed = [status.connector, ...status.tasks].some(({ state }) => state === 'FAILED');
  process.exitCode = failed ? exitCodes.failed : exitCodes.ok;
}

/** `millrace connectors pause`, `resume`, `stop` and `delete`, of all named, in their order. */
export async function changeConnectors(
  what: 'pause' | 'resume' | 'stop' | 'delete',
  names: readonly string[],
  { url, json }: ConnectorsOptions,
): Promise<void> {
  const client = createConnectClient(url);
  const done = { pause: 'pauses', resume: 'runs', stop: 'stops', delete: 'deleted' }[what];
  for (const name of names) {
    if (what === 'delete') await client.call('DELETE', pathOf(name));
    else await client.call('PUT', `${pathOf(name)}/${what}`);
    if (json === true) print({ name, done: what });
    else writeOut(`${name}: ${done}\n`);
  }
}

/** `millrace connectors restart`. */
export async function restartConnector(name: string, { url, json, tasks, onlyFailed }: RestartOptions): Promise<void> {
  const query = `includeTasks=${tasks === true}&onlyFailed=${onlyFailed === true}`;
  const status = await createConnectClient(url).call('POST', `${pathOf(name)}/restart?${query}`);
  if (json === true) print(status ?? null);
  else writeOut(`${name}: restarts${tasks === true ? ' with its tasks' : ''}\n`);
}

/** `millrace connectors offsets`: shows, sets or resets them. */
export async function showOffsets(name: string, { url, json, set, reset }: OffsetsOptions): Promise<void> {
  const client = createConnectClient(url);
  const path = `${pathOf(name)}/offsets`;
  if (set !== undefined || reset === true) {
    const answer = set === undefined ? await client.call('DELETE', path) : await client.call('PATCH', path, readOffsetsFile(set));
    if (json === true) print(answer);
    else writeOut(`${name}: ${messageIn(answer)}\n`);
    return;
  }
  const offsets = await ask<ConnectorOffsets>(url, path);
  if (json === true) return print(offsets);
  writeOut(offsets.offsets.length === 0 ? `${name}: no offsets\n` : `${formatOffsets(offsets, createPaint(hasColors(process.stdout)))}\n`);
}

/** A line for each partition: its members, then those of its offset. */
function formatOffsets({ offsets }: ConnectorOffsets, paint: Paint): string {
  const membersOf = (part: 'partition' | 'offset'): readonly string[] => [
    ...new Set(offsets.flatMap((each) => Object.keys(each[part] ?? {}))),
  ];
  const [partition, offset] = [membersOf('partition'), membersOf('offset')];
  const text = (value: unknown): string | null =>
    value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value);
  const rows = offsets.map((each) => [
    ...partition.map((member) => text(each.partition?.[member])),
    ...offset.map((member) => text(each.offset?.[member])),
  ]);
  return formatTable(
    [...partition, ...offset].map((member) => ({ name: member })),
    rows,
    paint,
  );
}

/** The answer of a worker of ours, or of one that keeps the same contract. */
async function ask<T>(url: string, path: string): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return (await createConnectClient(url).call('GET', path)) as T;
}

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

function readOffsetsFile(file: string): unknown {
  try {
    const offsets: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return offsets;
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} holds no offsets.`, {
      cause,
      nextStep: 'Write it as `millrace connectors offsets <name> --json` prints them: {"offsets": [{"partition", "offset"}]}.',
    });
  }
}

function messageIn(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : 'done';
}

function formatConnector({ name, connector, tasks, type }: ConnectorStatus, paint: Paint): string {
  const lines = [`${paint('bold', `${type} ${name}`)}  ${colored(connector.state, paint)}  on ${connector.worker_id}`];
  if (connector.trace !== undefined) lines.push(indented(connector.trace));
  for (const task of tasks) {
    lines.push(`  task ${task.id}  ${colored(task.state, paint)}`);
    if (task.trace !== undefined) lines.push(indented(task.trace));
  }
  return lines.join('\n');
}

function indented(trace: string): string {
  return trace
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

function colored(state: string, paint: Paint): string {
  return paint(state === 'RUNNING' ? 'green' : state === 'FAILED' ? 'red' : 'yellow', state);
}

function print(value: unknown): void {
  writeOut(`${JSON.stringify(value)}\n`);
}
