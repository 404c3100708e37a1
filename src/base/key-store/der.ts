/** Reads DER, as much of it as key stores need. */
import { MillraceError } from '../errors.ts';

/** A value: its tag, the bytes of its content, and the bytes of the whole. All are views. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

export const derTag = {
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific, constructed, number 0. */
  explicit0: 0xa0,
  /** Context-specific, primitive, number 0. */
  implicit0: 0x80,
} as const;

/** The values that follow each other in these bytes. Indefinite lengths, which BER has, are taken too. @throws TRUNCATED */
export function readDer(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const { value, end } = readOne(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}

function readOne(bytes: Uint8Array, start: number): { readonly value: DerValue; readonly end: number } {
  const tag = byteAt(bytes, start);
  let at = start + 1;
  let length = byteAt(bytes, at++);
  if (length === 0x80) return readIndefinite(bytes, { start, at, tag });
  if (length > 0x80) {
    const count = length & 0x7f;
    if (count > 4) throw malformed();
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, at++);
  }
  const end = at + length;
  if (end > bytes.length) throw malformed();
  return { value: { tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) }, end };
}

/** The content ends with two zero bytes where a value would begin. */
function readIndefinite(
  bytes: Uint8Array,
  { start, at, tag }: { start: number; at: number; tag: number },
): { value: DerValue; end: number } {
  let end = at;
  while (byteAt(bytes, end) !== 0 || byteAt(bytes, end + 1) !== 0) end = readOne(bytes, end).end;
  return { value: { tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end + 2) }, end: end + 2 };
}

/** The bytes of an OCTET STRING, which BER may have cut into several. */
export function octets({ tag, content }: DerValue): Uint8Array {
  // Constructed: bit 6 of the tag.
  if ((tag & 0x20) === 0) return content;
  return Buffer.concat(readDer(content).map(octets));
}

/** `1.2.840.113549.1.7.1`. */
export function oidText({ content }: DerValue): string {
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(value);
      value = 0;
    }
  }
  const first = parts[0] ?? 0;
  const head = Math.min(2, Math.floor(first / 40));
  return [head, first - head * 40, ...parts.slice(1)].join('.');
}

export function integerOf({ content }: DerValue): number {
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

/** A value with this content. */
export function encodeDer(tag: number, content: Uint8Array): Uint8Array {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw malformed();
  return byte;
}

function malformed(): MillraceError {
  return new MillraceError('TRUNCATED', 'the DER value ends too early or is malformed');
}
