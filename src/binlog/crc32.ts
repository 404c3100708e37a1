import { crc32 as nativeCrc32 } from 'node:zlib';

/**
 * Below so many bytes a call out of JavaScript costs more than the sum itself: measured for 30, 150, 300 and 600 bytes,
 * here 50, 100, 230 and 370 ns, there 150, 220, 240 and 330.
 */
const worthACall = 320;

/** Sixteen tables of 256: what a byte does to the sum from 0 to 15 places before the end of a group of sixteen. */
const tables = new Int32Array(16 * 256);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb8_8320 : sum >>> 1;
  tables[byte] = sum;
}
for (let byte = 256; byte < tables.length; byte++) {
  const before = tables[byte - 256] ?? 0;
  tables[byte] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
}

/** A view of the buffer that was summed last; most events of a chunk share it. */
let view: DataView = new DataView(new ArrayBuffer(0));

/** The CRC32 of `bytes[start, end)`, as zlib's: most events are short, and for them there is a faster way. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= worthACall) return nativeCrc32(bytes.subarray(start, end));
  if (bytes.buffer !== view.buffer) view = new DataView(bytes.buffer);
  const words = view;
  let sum = -1;
  let at = bytes.byteOffset + start;
  const stop = bytes.byteOffset + end;
  for (; at + 16 <= stop; at += 16) {
    const a = sum ^ words.getInt32(at, true);
    const b = words.getInt32(at + 4, true);
    const c = words.getInt32(at + 8, true);
    const d = words.getInt32(at + 12, true);
    sum =
      (tables[3840 + (a & 0xff)] ?? 0) ^
      (tables[3584 + ((a >>> 8) & 0xff)] ?? 0) ^
      (tables[3328 + ((a >>> 16) & 0xff)] ?? 0) ^
      (tables[3072 + (a >>> 24)] ?? 0) ^
      (tables[2816 + (b & 0xff)] ?? 0) ^
      (tables[2560 + ((b >>> 8) & 0xff)] ?? 0) ^
      (tables[2304 + ((b >>> 16) & 0xff)] ?? 0) ^
      (tables[2048 + (b >>> 24)] ?? 0) ^
      (tables[1792 + (c & 0xff)] ?? 0) ^
      (tables[1536 + ((c >>> 8) & 0xff)] ?? 0) ^
      (tables[1280 + ((c >>> 16) & 0xff)] ?? 0) ^
      (tables[1024 + (c >>> 24)] ?? 0) ^
      (tables[768 + (d & 0xff)] ?? 0) ^
      (tables[512 + ((d >>> 8) & 0xff)] ?? 0) ^
      (tables[256 + ((d >>> 16) & 0xff)] ?? 0) ^
      (tables[d >>> 24] ?? 0);
  }
  for (; at < stop; at++) sum = (tables[(sum ^ words.getUint8(at)) & 0xff] ?? 0) ^ (sum >>> 8);
  return ~sum >>> 0;
}
