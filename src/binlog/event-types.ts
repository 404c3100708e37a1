/**
 * The type byte of event headers. Below 160 the numbers are MySQL's, with those that both servers share; from 160 on
 * they are MariaDB's.
 *
 * Source: mysql-server, libs/mysql/binlog/event/binlog_event.h, Log_event_type; MariaDB, sql/log_event.h.
 */
export const eventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
  annotateRows: 160,
  binlogCheckpoint: 161,
  mariadbGtid: 162,
  gtidList: 163,
  startEncryption: 164,
  queryCompressed: 165,
  writeRowsCompressedV1: 166,
  updateRowsCompressedV1: 167,
  deleteRowsCompressedV1: 168,
  writeRowsCompressed: 169,
  updateRowsCompressed: 170,
  deleteRowsCompressed: 171,
} as const;

/** Header flags. */
export const eventFlag = {
  /** Made up by the dump thread: it is in no file. */
  artificial: 0x20,
  /** A reader that does not know the type may pass over it. */
  ignorable: 0x80,
} as const;

/** The types that are not decoded, by name. */
const otherNames: readonly (readonly [number, string])[] = [
  [0, 'UNKNOWN'],
  [1, 'START_V3'],
  [6, 'LOAD'],
  [7, 'SLAVE'],
  [8, 'CREATE_FILE'],
  [9, 'APPEND_BLOCK'],
  [10, 'EXEC_LOAD'],
  [11, 'DELETE_FILE'],
  [12, 'NEW_LOAD'],
  [17, 'BEGIN_LOAD_QUERY'],
  [20, 'WRITE_ROWS_V0'],
  [21, 'UPDATE_ROWS_V0'],
  [22, 'DELETE_ROWS_V0'],
  [36, 'TRANSACTION_CONTEXT'],
  [37, 'VIEW_CHANGE'],
];

const names = new Map<number, string>(otherNames);
for (const [name, code] of Object.entries(eventType)) names.set(code, name.replace(/[A-Z]/g, '_$&').toUpperCase());

/**
 * Types that carry nothing a row-based reader needs, whatever their flags say: statement-based helpers that belong to
 * the statement after them, and what concerns other replicas.
 */
const passedOver = new Set([5, 9, 11, 13, 14, 17, 28, 36, 37, 161, 164]);

export function eventTypeName(code: number): string {
  return names.get(code) ?? `type ${code}`;
}

/** Whether an event that is not decoded may be passed over without losing changes. */
export function mayPassOver(code: number, flags: number): boolean {
  return passedOver.has(code) || (flags & eventFlag.ignorable) !== 0;
}
