/**
 * Kafka Connect's data: what converters turn into bytes and transformations change. The record path only; tables travel as
 * batches. Source: org.apache.kafka.connect.data of Kafka's connect-api.
 */

export type SchemaType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'array'
  | 'map'
  | 'struct';

/** A schema; immutable, and shared by all values that have it. */
export interface Schema {
  readonly type: SchemaType;
  readonly optional: boolean;
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  /** In the order in which they are printed. */
  readonly parameters?: ReadonlyMap<string, string>;
  /** Absent: none. */
  readonly default?: ConnectValue;
  /** Of a struct. */
  readonly fields?: readonly Field[];
  /** Of a map. */
  readonly keySchema?: Schema;
  /** Of a map or an array. */
  readonly valueSchema?: Schema;
}

export interface Field {
  readonly name: string;
  readonly schema: Schema;
}

/**
 * A value. Integers up to 32 bits and floats are numbers, 64-bit integers bigints; Connect's Date, Time and Timestamp are
 * the number or bigint of their base type. Without a schema a map holds what a JSON object does, and a number is a double, a
 * bigint an integer.
 */
export type ConnectValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Decimal
  | Struct
  | readonly ConnectValue[]
  | ReadonlyMap<ConnectValue, ConnectValue>;

/** Connect's Decimal (`org.apache.kafka.connect.data.Decimal`): unscaled × 10^-scale. */
export class Decimal {
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }
}

/** A struct's values, by the index of their field in the schema. */
export class Struct {
  readonly schema: Schema;
  readonly values: readonly ConnectValue[];

  constructor(schema: Schema, values: readonly ConnectValue[]) {
    this.schema = schema;
    this.values = values;
  }
}
