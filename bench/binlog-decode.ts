/**
 * How fast the binlog reader reads: events and rows per second from a private server on the same machine, so that the
 * server's dump thread and this process share its cores.
 *
 *   node bench/binlog-decode.ts [mysql|mariadb] [rows] [folder to keep the server's data in, for further runs]
 *
 * "read" is read() alone; "rows" also walks through every field of every row image; "values" makes values of them.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldLength } from '../src/binlog/field-length.ts';
import type { RowsEvent } from '../src/binlog/events.ts';
import type { BinlogPosition } from '../src/binlog/positions.ts';
import { readRows } from '../src/binlog/row-image.ts';
import { openBinlogStream } from '../src/binlog/stream.ts';
import { flavors, startServer } from '../src/cli/private-server.ts';
import type { Flavor, PrivateServer } from '../src/cli/private-server.ts';
import { openRoot, tableSql, writeLargeTransactions, writeSmallTransactions } from './workload.ts';

interface Part {
  readonly name: string;
  readonly changes: number;
  readonly from: BinlogPosition;
  readonly to: BinlogPosition;
}

type Depth = 'read' | 'rows' | 'values';

const signal = new AbortController().signal;
const [flavorWish, rowsWish, folder] = process.argv.slice(2);
const wantedRows = Number(rowsWish ?? 300_000);

for (const flavor of flavors) {
  if (flavorWish !== undefined && flavorWish !== flavor) continue;
  const dataDir = folder === undefined ? undefined : join(folder, flavor);
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  await using server = await startServer({ flavor, ...(dataDir === undefined ? {} : { dataDir }), options: { 'sync-binlog': '0' } });
  const parts = await written(server, flavor, dataDir);
  for (const part of parts) {
    for (const depth of ['read', 'rows', 'values'] as const) {
      // The first run warms up both sides; of the others the median counts.
      const runs: Run[] = [];
      for (let i = 0; i < 4; i++) runs.push(await measure(server, part, depth));
      const [median] = runs
        .slice(1)
        .sort((a, b) => a.wallMs - b.wallMs)
        .slice(1, 2);
      if (median === undefined) continue;
      const { events, wallMs, cpuUs } = median;
      const perSecond = (count: number): string => `${Math.round(count / wallMs)} k/s`.padStart(10);
      console.log(
        `${flavor.padEnd(8)}${part.name.padEnd(7)}${depth.padEnd(7)}events${perSecond(events)}  rows${perSecond(part.changes)}  ` +
          `${(cpuUs / part.changes).toFixed(2)} µs of own CPU a row  (${part.changes} rows, ${events} events; cold ${Math.round(part.changes / (runs[0]?.wallMs ?? 1))} k rows/s)`,
      );
    }
  }
}

interface Run {
  readonly events: number;
  readonly wallMs: number;
  readonly cpuUs: number;
}

async function measure(server: PrivateServer, part: Part, depth: Depth): Promise<Run> {
  const { host, port, user, password } = server;
  const before = process.cpuUsage();
  const started = performance.now();
  await using stream = await openBinlogStream(
    { connection: { host, port, user, password, ssl: { mode: 'disabled' } }, serverId: 9_000_001, start: { position: part.from } },
    signal,
  );
  let count = 0;
  let rows = 0;
  for (let done = false; !done;) {
    const events = await stream.read(signal);
    for (const event of events) {
      count++;
      if (event.nextPosition >= part.to.position && event.file === part.to.file) {
        done = true;
        break;
      }
      if (event.type === 'ROWS') {
        if (depth === 'rows') rows += countRows(event);
        else if (depth === 'values') rows += readRows(event).length;
      }
    }
  }
  const wallMs = performance.now() - started;
  const { user: userUs, system } = process.cpuUsage(before);
  if (depth !== 'read' && rows !== part.changes) throw new Error(`${rows} rows were read, ${part.changes} were written`);
  return { events: count, wallMs, cpuUs: userUs + system };
}

/** Walks over the images of an event, field by field. */
function countRows(event: RowsEvent): number {
  const { bytes, end } = event;
  const images = event.kind === 'update' ? 2 : 1;
  let at = event.start;
  let count = 0;
  while (at < end) {
    for (let image = 0; image < images; image++) at = skipImage(event, bytes, at);
    count++;
  }
  if (at !== end) throw new Error('the images do not fill the event');
  return count;
}

/** All columns are in the images: binlog_row_image is FULL. */
function skipImage({ table }: RowsEvent, bytes: Uint8Array, start: number): number {
  const { types, metadata, columnCount } = table;
  let at = start + ((columnCount + 7) >> 3);
  for (let i = 0; i < columnCount; i++) {
    if ((((bytes[start + (i >> 3)] ?? 0) >> (i & 7)) & 1) === 0) at += fieldLength(types[i] ?? 0, metadata[i] ?? 0, bytes, at);
  }
  return at;
}

/** Writes both workloads, or finds them in a folder of an earlier run. */
async function written(server: PrivateServer, flavor: Flavor, dataDir: string | undefined): Promise<readonly Part[]> {
  const memory = dataDir === undefined ? undefined : join(dataDir, 'parts.json');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file is this script's own
  if (memory !== undefined && existsSync(memory)) return JSON.parse(await readFile(memory, 'utf8')) as Part[];
  const root = await openRoot(server.root.url, 'bench');
  const position = async (): Promise<BinlogPosition> => {
    const [answer] = await root.query(flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
    const row: unknown = Array.isArray(answer) ? answer[0] : undefined;
    return { file: String(Reflect.get(Object(row), 'File')), position: Number(Reflect.get(Object(row), 'Position')) };
  };
  const parts: Part[] = [];
  for (const name of ['small', 'large']) {
    await root.query(`${tableSql(name)}; FLUSH BINARY LOGS`);
    const from = await position();
    const { changes } =
      name === 'small'
        ? await writeSmallTransactions(root, name, wantedRows / 2)
        : await writeLargeTransactions(root, name, wantedRows / 1000);
    const to = await position();
    if (to.file !== from.file) throw new Error('the workload does not fit into one binlog file: take fewer rows');
    parts.push({ name, changes, from, to });
  }
  await root.end();
  if (memory !== undefined) await writeFile(memory, JSON.stringify(parts));
  return parts;
}
