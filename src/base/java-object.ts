/*
 * Java's object serialization, as far as Debezium's offsets and masks have it: a String, or an Object[] of Integer, Long and
 * String. Source: Java Object Serialization Specification, chapter 6.
 */

/** A value of an Object[]. */
export type JavaValue = { readonly type: 'Integer' | 'Long'; readonly value: bigint } | { readonly type: 'String'; readonly value: string };

const magic = Buffer.from('aced0005', 'hex');
const tc = { null: 0x70, reference: 0x71, classDesc: 0x72, object: 0x73, string: 0x74, array: 0x75, longString: 0x7c } as const;
/** Flags, fields and what follows them: serializable, none; end of annotations, no class above. */
const plainClass = Buffer.from('02000078', 'hex');
const firstHandle = 0x7e0000;
const arrayClass = classHead('[Ljava.lang.Object;', '90ce589f1073296c');
const numberClass = classHead('java.lang.Number', '86ac951d0b94e08b');
const boxes = {
  Integer: { head: classHead('java.lang.Integer', '12e2a0a4f7818738'), field: 'I', bytes: 4 },
  Long: { head: classHead('java.lang.Long', '3b8be490cc8f23df'), field: 'J', bytes: 8 },
} as const;

/** A class's name and the id of its serialized form. */
function classHead(name: string, serialVersionUid: string): Buffer {
  return Buffer.concat([Buffer.of(tc.classDesc), utfOf(name), Buffer.from(serialVersionUid, 'hex')]);
}

function utfOf(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function writeJavaString(text: string): Buffer {
  return Buffer.concat([magic, stringOf(text)]);
}

function stringOf(text: string): Buffer {
  const bytes = modifiedUtf8(text);
  if (bytes.length <= 0xffff) return Buffer.concat([Buffer.of(tc.string), utfOf(text)]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(bytes.length));
  return Buffer.concat([Buffer.of(tc.longString), length, bytes]);
}

/** Null stands for no array. */
export function writeJavaArray(values: readonly JavaValue[] | null): Buffer {
  if (values === null) return Buffer.concat([magic, Buffer.of(tc.null)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(values.length);
  const parts = [magic, Buffer.of(tc.array), arrayClass, plainClass, Buffer.of(tc.null), length];
  /** Of classes that were written; the array's own class and the array have the first two handles. */
  const handles = new Map<string, number>();
  let handle = 2;
  const reference = (of: string): Buffer | undefined => {
    const known = handles.get(of);
    if (known === undefined) {
      handles.set(of, handle++);
      return undefined;
    }
    const bytes = Buffer.of(tc.reference, 0, 0, 0, 0);
    bytes.writeUInt32BE(firstHandle + known, 1);
    return bytes;
  };
  for (const { type, value } of values) {
    if (type === 'String') {
      handle++;
      parts.push(stringOf(value));
      continue;
    }
    const { head, field, bytes } = boxes[type];
    parts.push(Buffer.of(tc.object));
    const box = reference(type);
    if (box !== undefined) parts.push(box);
    else {
      parts.push(head, Buffer.from('020001', 'hex'), Buffer.from(field), utfOf('value'), Buffer.of(0x78));
      parts.push(reference('Number') ?? Buffer.concat([numberClass, plainClass, Buffer.of(tc.null)]));
    }
    handle++;
    const number = Buffer.alloc(8);
    number.writeBigInt64BE(value);
    parts.push(number.subarray(8 - bytes));
  }
  return Buffer.concat(parts);
}

/** Undefined: it is something else than `writeJavaArray` writes. */
export function readJavaArray(bytes: Buffer): readonly JavaValue[] | null | undefined {
  if (bytes.equals(writeJavaArray(null))) return null;
  const head = writeJavaArray([]).length;
  if (bytes.length < head) return undefined;
  const count = bytes.readUInt32BE(head - 4);
  const values: JavaValue[] = [];
  let at = head;
  // What is read so far, written again, is how far the reader has come: classes and references need no second grammar.
  for (let i = 0; i < count; i++) {
    const value = valueAt(bytes, at, values);
    if (value === undefined) return undefined;
    values.push(value);
    at = writeJavaArray(values).length;
  }
  return writeJavaArray(values).equals(bytes) ? values : undefined;
}

function valueAt(bytes: Buffer, at: number, before: readonly JavaValue[]): JavaValue | undefined {
  const kind = bytes[at];
  if (kind === tc.string && at + 3 <= bytes.length) {
    return { type: 'String', value: textOf(bytes.subarray(at + 3, at + 3 + bytes.readUInt16BE(at + 1))) };
  }
  if (kind !== tc.object) return undefined;
  for (const type of ['Integer', 'Long'] as const) {
    const end = writeJavaArray([...before, { type, value: 0n }]).length;
    if (end > bytes.length) continue;
    const value = type === 'Integer' ? BigInt(bytes.readInt32BE(end - 4)) : bytes.readBigInt64BE(end - 8);
    const written = writeJavaArray([...before, { type, value }]);
    if (written.subarray(at).equals(bytes.subarray(at, end))) return { type, value };
  }
  return undefined;
}

/** As UTF-8, but U+0000 is two bytes, and each half of a surrogate pair three. */
function modifiedUtf8(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit !== 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}

function textOf(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const size = a < 0x80 ? 1 : a < 0xe0 ? 2 : 3;
    const unit = size === 1 ? a : size === 2 ? ((a & 0x1f) << 6) | (b & 0x3f) : ((a & 0x0f) << 12) | ((b & 0x3f) << 6) | (c & 0x3f);
    text += String.fromCharCode(unit);
    at += size;
  }
  return text;
}
