import { javaDouble } from '../base/java-number.ts';
import { utf8 } from './json-writer.ts';

/** What stands before a double, a time or binary value of a document's text, see `writeMarkedJsonText`; nothing else in it is a tab. */
const marked = /\t("[^"]*"|[^\s,\]}]+)/g;

/** The text of a streamed document as Debezium prints it: of the values that JSON has no type for, and of doubles. */
export function wrongDocument(text: Buffer): Uint8Array {
  if (!text.includes(0x09)) return text;
  return utf8(
    text.toString('utf8').replaceAll(marked, (_all, value: string) => (value.startsWith('"') ? wrongText(value) : wrongDouble(value))),
  );
}

/** Java's text, or all digits where that has an exponent. */
function wrongDouble(text: string): string {
  const value = Number(text);
  const java = javaDouble(value);
  return java.includes('E') ? exactDigits(value) : java;
}

/** The decimal expansion of a double, as `BigDecimal.toPlainString` has it. */
function exactDigits(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  const sign = value < 0 ? '-' : '';
  if (exponent >= 0) return `${sign}${mantissa << BigInt(exponent)}`;
  // mantissa / 2^n = mantissa × 5^n / 10^n
  const digits = String(mantissa * 5n ** BigInt(-exponent)).padStart(1 - exponent, '0');
  const point = digits.length + exponent;
  const decimals = digits.slice(point).replace(/0+$/, '');
  return `${sign}${digits.slice(0, point)}${decimals === '' ? '' : `.${decimals}`}`;
}

function wrongText(quoted: string): string {
  const time = /^"(-?)(\d+):(\d\d):(\d\d)\.(\d{6})"$/.exec(quoted);
  if (time !== null) return `"${wrongTime(time[1] === '-', time.slice(2).map(Number))}"`;
  const [, base64] = /^"base64:type\d+:(.*)"$/.exec(quoted) ?? [];
  if (base64 !== undefined) return `"${base64.replaceAll(String.raw`\n`, '')}"`;
  return quoted.replace(/\.(\d{6})"$/, (_all, micros: string) => `${fractionOf(Number(micros))}"`);
}

/** Debezium takes the fields of a negative time out of its negative number, one by one. */
function wrongTime(isNegative: boolean, [hours = 0, minutes = 0, seconds = 0, micros = 0]: readonly number[]): string {
  const packed = BigInt((hours << 12) | (minutes << 6) | seconds) * 0x100_0000n + BigInt(micros);
  const raw = isNegative ? -packed : packed;
  const value = Number(raw >> 24n);
  const hour = Math.trunc((value >> 12) % 1024) * (isNegative ? -1 : 1);
  return `${twoDigits(hour)}:${twoDigits((value >> 6) % 64)}:${twoDigits(value % 64)}${fractionOf(Number(raw % 0x100_0000n))}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Without zeros at its end; a negative one has its sign behind five zeros. */
function fractionOf(micros: number): string {
  if (micros === 0) return '';
  if (micros > 0) return `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  return `.00000${String(micros).replace(/0+$/, '')}`;
}
