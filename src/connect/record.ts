import type { ConnectValue, Schema } from './data.ts';

/** A record as transformations see it. Immutable: a transformation returns another one. */
export interface ConnectRecord {
  readonly topic: string;
  /** Null: the topic's own choice. */
  readonly partition: number | null;
  /** Null with a value: a value without a schema. */
  readonly keySchema: Schema | null;
  readonly key: ConnectValue;
  readonly valueSchema: Schema | null;
  /** Null without a schema is a tombstone. */
  readonly value: ConnectValue;
  /** Milliseconds since the epoch. */
  readonly timestamp: number | null;
  readonly headers: readonly ConnectHeader[];
  /** Of a sink's records: their offset in the topic. */
  readonly offset?: number;
}

export interface ConnectHeader {
  readonly name: string;
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}

/** A record as it lies in a topic. */
export interface SerializedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly SerializedHeader[];
  /** Milliseconds since the epoch; absent: when it was appended. */
  readonly timestamp?: number;
  /** Index in the group's `transactions`; absent: it belongs to none. */
  readonly transaction?: number;
}

export interface SerializedHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** `key.converter`, `value.converter`. @throws CONVERSION_FAILED */
export interface Converter {
  /** Null bytes only for a null without a schema, unless the converter says otherwise. */
  fromConnect(topic: string, schema: Schema | null, value: ConnectValue): Uint8Array | null;
  toConnect(topic: string, bytes: Uint8Array | null): { readonly schema: Schema | null; readonly value: ConnectValue };
}

/** `header.converter`. @throws CONVERSION_FAILED */
export interface HeaderConverter {
  fromConnect(topic: string, header: ConnectHeader): Uint8Array | null;
  toConnect(topic: string, name: string, bytes: Uint8Array | null): ConnectHeader;
}

/** One link of `transforms`; null: the record is dropped. @throws TRANSFORMATION_FAILED */
export type Transformation = (record: ConnectRecord) => ConnectRecord | null;

/** `predicates`. */
export type Predicate = (record: ConnectRecord) => boolean;
