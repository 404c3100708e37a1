import { MillraceError } from '../base/errors.ts';
import type { Cursor } from './cursor.ts';
import type { EventHeader } from './events.ts';

/** The events of one transaction, compressed together (`binlog_transaction_compression=ON`). */
export interface TransactionPayload extends EventHeader {
  readonly type: 'TRANSACTION_PAYLOAD';
  readonly compressed: boolean;
  /** What the events are long together when uncompressed. */
  readonly uncompressedSize: number;
  /** A view: a zstd frame, or the events themselves. */
  readonly payload: Uint8Array;
}

/**
 * TRANSACTION_PAYLOAD_EVENT: fields of a type, a length and a value, numbers length-encoded, then the payload.
 *
 *   0  end of the fields; no length follows
 *   1  length of the payload
 *   2  compression: 0 zstd, 255 none
 *   3  uncompressed length
 *
 * The payload holds whole events, without checksums: BEGIN, rows, XID; the GTID event stands before it.
 * Source: mysql-server, libs/mysql/binlog/event/codecs/binary.cpp, Transaction_payload.
 */
export function readPayloadHeader(cursor: Cursor): Pick<TransactionPayload, 'compressed' | 'uncompressedSize' | 'payload'> {
  let size = 0;
  let compression = 255;
  let uncompressedSize = -1;
  for (;;) {
    const field = cursor.lengthEncoded();
    if (field === 0) break;
    const length = cursor.lengthEncoded();
    const next = cursor.at + length;
    if (field === 1) size = cursor.lengthEncoded();
    else if (field === 2) compression = cursor.lengthEncoded();
    else if (field === 3) uncompressedSize = cursor.lengthEncoded();
    else cursor.skip(length);
    if (cursor.at !== next) throw cursor.corrupt(`field ${field} is not ${length} bytes long`);
  }
  if (compression !== 0 && compression !== 255) {
    throw new MillraceError('BINLOG_UNSUPPORTED', `a transaction is compressed with algorithm ${compression}`);
  }
  const payload = cursor.view(size);
  return { compressed: compression === 0, uncompressedSize: uncompressedSize < 0 ? size : uncompressedSize, payload };
}
