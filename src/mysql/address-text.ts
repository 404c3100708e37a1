import type { ByteWriter } from '../base/byte-writer.ts';

const hex = '0123456789abcdef';

/** MariaDB's UUID: 16 bytes, of which the binlog has cut the zeros at the end; text in lower case. */
export function formatUuid(writer: ByteWriter, bytes: Uint8Array): void {
  let text = '';
  for (let i = 0; i < 16; i++) {
    const byte = bytes[i] ?? 0;
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += (hex[byte >> 4] ?? '') + (hex[byte & 15] ?? '');
  }
  writeAscii(writer, text);
}

export function formatInet4(writer: ByteWriter, bytes: Uint8Array): void {
  writeAscii(writer, `${bytes[0] ?? 0}.${bytes[1] ?? 0}.${bytes[2] ?? 0}.${bytes[3] ?? 0}`);
}

/**
 * As MariaDB prints it: the longest run of zero groups (the first of equals) as `::`, and the last two groups of an
 * IPv4-compatible or -mapped address as IPv4. Source: mariadb, sql/sql_type_inet.cc, Inet6::to_string.
 */
export function formatInet6(writer: ByteWriter, bytes: Uint8Array): void {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let gapAt = -1;
  let gapLength = 0;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > gapLength) {
      gapAt = i;
      gapLength = n;
    }
    i += n;
  }
  const isIpv4 = gapAt === 0 && (gapLength === 6 || (gapLength === 5 && groups[5] === 0xffff));
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (gapLength > 0 && i === gapAt) {
      text += i === 0 ? '::' : ':';
      i += gapLength - 1;
      continue;
    }
    if (isIpv4 && i === 6) {
      text += `${bytes[12] ?? 0}.${bytes[13] ?? 0}.${bytes[14] ?? 0}.${bytes[15] ?? 0}`;
      break;
    }
    text += (groups[i] ?? 0).toString(16);
    if (i < 7) text += ':';
  }
  writeAscii(writer, text);
}

function writeAscii(writer: ByteWriter, text: string): void {
  writer.reserve(text.length + 5);
  writer.varint(text.length);
  for (let i = 0; i < text.length; i++) writer.bytes[writer.length++] = text.charCodeAt(i);
}
