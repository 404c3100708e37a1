/** Entry of the thread that compares a source with what one sink made of it; the main thread never touches rows. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { MillraceError, toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { SourcePosition } from '../connect/commit-group.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import type { TableId } from '../event/table-schema.ts';
import { connectionSettings } from '../mysql/connection-settings.ts';
import { parseSourceConfig } from '../mysql/connector-config.ts';
import { openConsistentViews } from '../mysql/consistent-view.ts';
import { duckDbDialect } from '../verify/duckdb-dialect.ts';
import { snowflakeDialect } from '../verify/snowflake-dialect.ts';
import { verify } from '../verify/verify.ts';
import type { Excuse, PinnedReplica, SourceView, TableVerdict, VerifyReport, VerifyTable } from '../verify/verify.ts';
import { createCaller } from '../worker/rpc.ts';
import type { WarehouseKind, WarehouseMethods } from '../worker/thread-messages.ts';

export interface VerifyThreadData {
  readonly source: ConnectorConfig;
  /** Connector of the sink, and what it writes to. */
  readonly sink: string;
  readonly kind: WarehouseKind;
  readonly tables: readonly VerifyTable[];
  /** Connectors whose transformations the rows go through. */
  readonly transforms: readonly string[];
  readonly onePosition: boolean;
  readonly maxDifferences: number;
  /** To the thread of the warehouse. */
  readonly port: MessagePort;
}

export type FromVerifyThread =
  | { readonly kind: 'table'; readonly verdict: TableVerdict }
  | { readonly kind: 'report'; readonly report: VerifyReport }
  | { readonly kind: 'error'; readonly error: ErrorData };

if (parentPort === null) throw new MillraceError('INTERNAL', 'verify-thread.ts is no program');
const main = parentPort;
// verify-replicas.ts starts this file with nothing else.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const data = workerData as VerifyThreadData;
const { signal } = new AbortController();
const config = parseSourceConfig(data.source);
const warehouse = createCaller<WarehouseMethods>(data.port);

/** Held from before the view is opened until the sink has cut at its position, so that it does not pass it meanwhile. */
let held: number | undefined;

try {
  const { tables, onePosition, maxDifferences } = data;
  const onTable = (verdict: TableVerdict): void => post({ kind: 'table', verdict });
  const isMasked = ({ database, table }: TableId, column: string): boolean =>
    config.rules.masksOf({ database, table, columns: [], primaryKey: [] }, column).length > 0;
  const isCaptured = (table: TableId, column: string): boolean => config.capturesColumn(table, column);
  const options = { tables, onePosition, maxDifferences, openView, pinAt, onTable, isMasked, isCaptured, excuseOf };
  post({ kind: 'report', report: await verify(options, signal) });
} catch (error) {
  post({ kind: 'error', error: toErrorData(error) });
}
data.port.close();

/** What the connectors' properties ask for that makes a replica other than its source. */
function excuseOf(table: TableId): Excuse | undefined {
  const { transforms } = data;
  if (transforms.length > 0) {
    return { reason: `its rows go through transformations of ${transforms.join(' and ')}, which may change them`, explains: 'names' };
  }
  const { snapshotSelection: selection, snapshotMode } = config;
  if (!selection.copies(table)) return { reason: 'snapshot.include.collection.list leaves the table out', explains: 'missing rows' };
  if (selection.source(table) !== undefined) {
    return { reason: 'snapshot.select.statement.overrides says what is copied of the table', explains: 'rows' };
  }
  if (snapshotMode !== 'no_data') return undefined;
  return { reason: 'with snapshot.mode=no_data no row from before the start is copied', explains: 'missing rows' };
}

async function release(): Promise<void> {
  if (held !== undefined) await warehouse.call('release', { hold: held }, signal);
  held = undefined;
}

async function openView(abort: AbortSignal): Promise<SourceView> {
  await release();
  held = await warehouse.call('hold', { connector: data.sink, source: config.topicPrefix }, abort);
  const options = { connection: connectionSettings(config.server), count: 1, lockWaitMs: config.lockWaitMs };
  const [view] = await openConsistentViews(config.lockWaitMs === 0 ? { ...options, method: 'lockFree' } : options, abort);
  if (view === undefined) throw new MillraceError('INTERNAL', 'no view was opened');
  const { connection, position } = view;
  return {
    driver: connection.driver,
    flavor: connection.version.flavor,
    position,
    [Symbol.asyncDispose]: () => view[Symbol.asyncDispose](),
  };
}

async function pinAt(position: SourcePosition, tables: readonly TableId[], abort: AbortSignal): Promise<PinnedReplica> {
  const pin = await warehouse.call('pinAt', { connector: data.sink, source: config.topicPrefix, position, tables }, abort);
  await release();
  return {
    dialect: data.kind === 'duckdb' ? duckDbDialect : snowflakeDialect,
    query: (sql, querySignal) => warehouse.call('pinnedQuery', { pin, sql }, querySignal),
    table: (id, tableSignal) => warehouse.call('pinnedTable', { pin, connector: data.sink, source: config.topicPrefix, id }, tableSignal),
    async [Symbol.asyncDispose]() {
      await warehouse.call('unpin', { pin }, signal);
    },
  };
}

function post(message: FromVerifyThread): void {
  main.postMessage(message);
}
