/** Numbers as Java prints them, which is how they stand in Debezium's JSON. */

/** `Double.toString`: shortest text that reads back, `1.0E10` from 10^7 on and below 10^-3. */
export function javaDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  return javaText(value.toExponential(), (digits) => value.toExponential(digits));
}

/** `Float.toString` of a 32-bit float. */
export function javaFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  let digits = 0;
  while (digits < 9 && Math.fround(Number(value.toExponential(digits))) !== value) digits++;
  return javaText(value.toExponential(digits), (wanted) => value.toExponential(wanted));
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
