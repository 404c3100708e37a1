/**
 * A double as `<sign><mantissa>p<exponent>`, for replicas that print no double with all its digits but compute with it: mantissa
 * and exponent are whole numbers, found by divisions by powers of two, which round nothing.
 */
export function exactDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = exponent === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
  return `${value < 0 ? '-' : ''}${mantissa}p${Math.max(exponent, 1) - 1075}`;
}

/** The number, as people read it. */
export function readExactDouble(text: string): string {
  const [mantissa = '', exponent] = text.split('p');
  return exponent === undefined ? text : String(Number(mantissa) * 2 ** Number(exponent));
}

/** SQL in steps, each of which may use those before it by their names. */
export interface SqlSteps {
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
  readonly sql: string;
}

/** The same in Snowflake's SQL; a logarithm may be off at powers of two, which the mantissa's range tells. */
export function exactDoubleSql(value: string, nameOf: (step: string) => string): SqlSteps {
  const [power, mantissa] = [nameOf('power'), nameOf('mantissa')];
  // no logarithm of zero, whatever the order in which a CASE is worked out
  const size = `NULLIF(ABS(${value}), 0)`;
  const text = (of: string, exponent: string): string =>
    `TO_VARCHAR(CAST(${of} AS NUMBER(38,0))) || 'p' || TO_VARCHAR(CAST(${power} - ${exponent} AS NUMBER(38,0)))`;
  return {
    steps: [
      { name: power, sql: `GREATEST(FLOOR(LN(${size}) / LN(2)), -1022)` },
      { name: mantissa, sql: `${size} / POWER(2, ${power} - 52)` },
    ],
    sql:
      `CASE WHEN ${value} = 0 OR ABS(${value}) > CAST('1.7976931348623157e308' AS FLOAT) THEN TO_VARCHAR(${value}) ` +
      `ELSE IFF(${value} < 0, '-', '') || CASE WHEN ${mantissa} >= 9007199254740992 THEN ${text(`${mantissa} / 2`, '51')} ` +
      `WHEN ${mantissa} < 4503599627370496 AND ${power} > -1022 THEN ${text(`${mantissa} * 2`, '53')} ELSE ${text(mantissa, '52')} END END`,
  };
}
