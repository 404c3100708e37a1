/** Numbers as Java prints them, which is how they stand in Debezium's JSON. */

/** `Double.toString`: shortest text that reads back, `1.0E10` from 10^7 on and below 10^-3. */
export function javaDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < maxLong) return integerText(value, 53);
  const size = Math.abs(value);
  // here JavaScript prints the same digits without an exponent too
  if (size >= 1e-3 && size < 1e7) return String(value);
  return javaText(value.toExponential(), (digits) => value.toExponential(digits));
}

/** `Float.toString` of a 32-bit float. */
export function javaFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < maxLong) return integerText(value, 24);
  let digits = 5;
  if (Math.fround(Number(value.toExponential(digits))) === value) {
    while (digits > 0 && Math.fround(Number(value.toExponential(digits - 1))) === value) digits--;
  } else {
    do digits++;
    while (digits < 9 && Math.fround(Number(value.toExponential(digits))) !== value);
  }
  return javaText(value.toExponential(digits), (wanted) => value.toExponential(wanted));
}

const maxLong = 2 ** 63;

/**
 * Up to Java 18, which Debezium runs on, integers that fit a long are not printed in their shortest form: all digits are,
 * but for so many at the end that the mantissa of `bits` bits leaves open (16777216, 1.23456792E8, 3.0000001E10).
 *
 * Source: OpenJDK 17, jdk.internal.math.FloatingDecimal, BinaryToASCIIBuffer.dtoa and insignificantDigitsForPow2.
 */
function integerText(value: number, bits: number): string {
  if (Math.abs(value) < 1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  const size = BigInt(Math.abs(value));
  const open = size.toString(2).length - 1 - bits - 1;
  const dropped = open > 1 ? Math.floor(open * Math.log10(2)) : 0;
  const unit = 10n ** BigInt(dropped);
  const kept = size / unit + (dropped > 0 && size % unit >= unit / 2n ? 1n : 0n);
  const text = kept.toString();
  const digits = text.replace(/0+$/, '');
  return `${value < 0 ? '-' : ''}${digits.slice(0, 1)}.${digits.slice(1) || '0'}E${text.length - 1 + dropped}`;
}

/**
 * Java's notation of a shortest text `d.ddde±x`. Java has at least two digits and takes the best two where one would do
 * (4.9E-324 for what JavaScript calls 5e-324).
 */
function javaText(shortest: string, withDigits: (digits: number) => string): string {
  const text = /^-?\de/.test(shortest) ? withDigits(1) : shortest;
  const parts = /^(-?)(\d)\.(\d+)e([+-]\d+)$/.exec(text);
  if (parts === null) return text; // NaN and infinities, which no MySQL column holds
  const [, sign = '', lead = '', tail = '', power = ''] = parts;
  const exponent = Number(power);
  const digits = lead + tail.replace(/0+$/, '');
  if (exponent >= 7 || exponent < -3) return `${sign}${lead}.${digits.slice(1) || '0'}E${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** `BigDecimal.toString` of plain decimal text: scientific when the value is smaller than 10^-6. */
export function bigDecimalText(plain: string): string {
  const parts = /^(-?)(\d+)\.(\d+)$/.exec(plain);
  if (parts === null) return plain;
  const [, sign = '', whole = '', fraction = ''] = parts;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  const exponent = digits.length - 1 - fraction.length;
  if (exponent >= -6) return plain;
  const tail = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits === '0' ? '' : sign}${digits.slice(0, 1)}${tail}E${exponent}`;
}

/** Two's complement of an integer, big-endian, as few bytes as hold it: Connect's Decimal. */
export function bigEndianBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0xffn);
    bytes.push(byte);
    rest >>= 8n;
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Uint8Array.from(bytes.toReversed());
  }
}
