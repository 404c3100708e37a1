import type { ByteWriter } from '../../base/byte-writer.ts';
import { MillraceError } from '../../base/errors.ts';
import { decimalText } from '../../event/cell.ts';
import { maxDecimal128Precision, maxDecimal64Precision, type ColumnType } from '../../event/column-type.ts';
import { writeInt64, type ReadCell } from './decode-temporal.ts';
import type { JsonReader } from './json-reader.ts';
import type { ValueForm } from './value-form.ts';

const quote = 0x22;
const letterT = 0x74;
const letterF = 0x66;

/** Integers of 8 to 64 bits; also of booleans, and of Connect's Decimal, which unsigned BIGINT may be. */
export function intReader(type: Extract<ColumnType, { kind: 'int' }>, form: ValueForm): ReadCell {
  if (type.bits === 64) {
    return (from, to) => {
      const value = integerOf(from, form);
      if (typeof value === 'number') writeInt64(to, value);
      else writeBigInt64(to, value);
    };
  }
  const width = type.bits === 24 ? 4 : type.bits / 8;
  const least = type.unsigned ? 0 : -(2 ** (type.bits - 1));
  const range = 2 ** type.bits;
  return (from, to) => {
    let value = Number(integerOf(from, form));
    // Debezium's model may have an unsigned column as a signed one: the bits are the same
    if (value < 0 && type.unsigned) value += range;
    if (value < least || value >= least + range) throw outside(value, `${type.bits} bits`);
    to.reserve(width);
    if (width === 1) to.view.setUint8(to.length, value);
    else if (width === 2) to.view.setUint16(to.length, value, true);
    else to.view.setUint32(to.length, value, true);
    to.length += width;
  };
}

export function yearReader(form: ValueForm): ReadCell {
  return (from, to) => {
    const value = Number(integerOf(from, form));
    if (value < 0 || value > 65_535) throw outside(value, 'a year');
    to.reserve(2);
    to.view.setUint16(to.length, value, true);
    to.length += 2;
  };
}

export function floatReader(bytes: 4 | 8): ReadCell {
  return (from, to) => {
    const token = from.peek() === quote ? from.text() : from.token();
    const value = Number(token);
    if (token === '' || Number.isNaN(value)) throw new MillraceError('CONVERSION_FAILED', `${token} where a number is due`);
    to.reserve(bytes);
    if (bytes === 4) to.view.setFloat32(to.length, value, true);
    else to.view.setFloat64(to.length, value, true);
    to.length += bytes;
  };
}

/** BIT(1) is a boolean, longer ones are bytes in little-endian order. */
export function bitReader(): ReadCell {
  return (from, to) => {
    const first = from.peek();
    if (first !== quote) {
      const value = integerOf(from, { unit: 'micro', binary: 'base64', spaced: false, number: 'text' });
      writeBigInt64(to, BigInt(value));
      return;
    }
    const bytes = Buffer.from(from.text(), 'base64');
    to.reserve(8);
    for (let i = 0; i < 8; i++) to.bytes[to.length++] = bytes[i] ?? 0;
  };
}

export function decimalReader({ precision, scale }: Extract<ColumnType, { kind: 'decimal' }>, form: ValueForm): ReadCell {
  const fromScale = form.scale ?? scale;
  return (from, to) => {
    const isText = from.peek() === quote;
    const unscaled =
      isText && form.number === 'bytes'
        ? rescaled(bigOfBase64(from.text()), fromScale, scale)
        : unscaledText(isText ? from.text() : from.token(), scale);
    if (precision > maxDecimal128Precision) {
      const text = decimalText(unscaled, scale);
      to.varint(text.length);
      to.reserve(text.length);
      for (let i = 0; i < text.length; i++) to.bytes[to.length++] = text.charCodeAt(i);
      return;
    }
    if (precision <= maxDecimal64Precision) {
      writeBigInt64(to, unscaled);
      return;
    }
    to.reserve(16);
    to.view.setBigUint64(to.length, BigInt.asUintN(64, unscaled), true);
    to.view.setBigInt64(to.length + 8, BigInt.asIntN(64, unscaled >> 64n), true);
    to.length += 16;
  };
}

/** A number, or a bigint where it may be beyond 2^53. */
function integerOf(from: JsonReader, form: ValueForm): number | bigint {
  const first = from.peek();
  if (first === quote) {
    const text = from.text();
    return form.number === 'bytes' ? bigOfBase64(text) : unscaledText(text, 0);
  }
  if (first === letterT || first === letterF) {
    from.skip();
    return first === letterT ? 1 : 0;
  }
  return from.integer() ?? unscaledText(from.token(), 0);
}

/** Two's complement, big-endian. */
function bigOfBase64(text: string): bigint {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0) return 0n;
  if (bytes.length <= 6) return BigInt(bytes.readIntBE(0, bytes.length));
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`));
}

const decimalForm = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/** The unscaled value of digits, rounded where they have more than `scale` behind the point. */
function unscaledText(text: string, scale: number): bigint {
  const parts = decimalForm.exec(text);
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts ?? [];
  if (parts === null || whole + fraction === '') throw new MillraceError('CONVERSION_FAILED', `${text} where a number is due`);
  const value = rescaled(BigInt(whole + fraction), fraction.length - Number(exponent), scale);
  return sign === '-' ? -value : value;
}

/** Half-way values are rounded away from zero. */
function rescaled(unscaled: bigint, from: number, to: number): bigint {
  if (from === to) return unscaled;
  if (from < to) return unscaled * 10n ** BigInt(to - from);
  const divisor = 10n ** BigInt(from - to);
  const half = unscaled < 0n ? -divisor / 2n : divisor / 2n;
  return (unscaled + half) / divisor;
}

function writeBigInt64(to: ByteWriter, value: bigint): void {
  to.reserve(8);
  to.view.setBigInt64(to.length, BigInt.asIntN(64, value), true);
  to.length += 8;
}

function outside(value: number, what: string): MillraceError {
  return new MillraceError('CONVERSION_FAILED', `${value} has no place in ${what}`);
}
