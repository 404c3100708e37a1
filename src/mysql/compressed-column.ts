import { inflateRawSync, inflateSync } from 'node:zlib';
import { MillraceError } from '../base/errors.ts';

const zlibMethod = 0x80;
const rawFlag = 0x08;

/**
 * The value of a column with MariaDB's COMPRESSED attribute.
 *
 *   0    nothing at all: the empty value
 *   1    method: 0 stored as it is; 0x80 zlib, with 0x08 if without zlib's own header, and the size of the next field
 *   1-4  length of the value, big-endian (zlib only)
 *   …    the bytes
 *
 * Source: mariadb, sql/field.cc, compress_zlib and uncompress_zlib.
 */
export function decompressColumn(bytes: Uint8Array): Uint8Array {
  const header = bytes[0];
  if (header === undefined) return bytes;
  if (header === 0) return bytes.subarray(1);
  if ((header & 0xf0) !== zlibMethod) throw new MillraceError('BINLOG_UNSUPPORTED', `a compressed column of method ${header}`);
  const sizeBytes = header & 0x07;
  let size = 0;
  for (let i = 1; i <= sizeBytes; i++) size = size * 256 + (bytes[i] ?? 0);
  const body = bytes.subarray(1 + sizeBytes);
  const options = { maxOutputLength: Math.max(size, 1) };
  try {
    return (header & rawFlag) === 0 ? inflateSync(body, options) : inflateRawSync(body, options);
  } catch (error) {
    throw new MillraceError('BINLOG_CORRUPT', 'a compressed column cannot be decompressed', { cause: error });
  }
}
