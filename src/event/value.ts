/**
 * A cell as plain JavaScript, for the edges (records, transformations, tests); batches carry bytes instead.
 * What a column yields depends on its `ColumnType` alone, never on the value: integers up to 32 bits, float, double
 * and year are `number`; 64-bit integers and bit are `bigint`; decimal, temporals, text, enum, set, json, uuid and
 * inet are `string`; binary, geometry and vector are `Uint8Array`. SQL NULL is `null`; `undefined` says that the
 * column is not in the row image.
 */
export type Value = null | undefined | number | bigint | string | Uint8Array;
