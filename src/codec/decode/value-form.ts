/** How the values of a column stand in a record's JSON, where the JSON itself does not tell. */
export interface ValueForm {
  /** What an integer of a temporal column counts. */
  readonly unit: TemporalUnit;
  /** Texts of binary columns. */
  readonly binary: 'base64' | 'base64url' | 'hex' | 'utf8';
  /** Of JSON documents: blanks go behind their commas and colons. */
  readonly spaced: boolean;
  /** Texts of numeric columns: the unscaled value's bytes as base64, or digits. */
  readonly number: 'bytes' | 'text';
  /** Of a number in bytes, when it is not the column's own. */
  readonly scale?: number;
}

export type TemporalUnit = 'day' | 'milli' | 'micro' | 'nano';

/** The modes of the connector that wrote the records, for records that do not carry their schemas. */
export interface SourceModes {
  readonly time: 'adaptive_time_microseconds' | 'adaptive' | 'connect' | 'isostring' | 'microseconds' | 'nanoseconds';
  readonly decimal: 'precise' | 'string' | 'double';
  /** Undefined: not told. */
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex' | undefined;
  /** JSON columns were printed without the blanks that the server puts behind commas and colons. */
  readonly denseJson: boolean;
  /** What stands for a value that the record does not have. */
  readonly unavailable: string;
}

const defaultModes = {
  time: 'adaptive_time_microseconds',
  decimal: 'precise',
  binary: undefined,
  denseJson: true,
  unavailable: '__debezium_unavailable_value',
} as const satisfies SourceModes;

const times = ['adaptive_time_microseconds', 'adaptive', 'connect', 'isostring', 'microseconds', 'nanoseconds'] as const;
const decimals = ['precise', 'string', 'double'] as const;
const binaries = ['bytes', 'base64', 'base64-url-safe', 'hex'] as const;

/** The modes that a sink's configuration names, by the source's own properties. */
export function modesOfProperties(properties: Readonly<Record<string, string>>, flavor: 'mysql' | 'mariadb'): SourceModes {
  const pick = <T extends string, U>(name: string, values: readonly T[], otherwise: U): T | U => {
    const given = properties[name]?.toLowerCase();
    return values.find((value) => value === given) ?? otherwise;
  };
  return {
    time: pick('time.precision.mode', times, defaultModes.time),
    decimal: pick('decimal.handling.mode', decimals, defaultModes.decimal),
    binary: pick('binary.handling.mode', binaries, defaultModes.binary),
    // MariaDB's JSON is the text that was written
    denseJson: flavor === 'mysql',
    unavailable: properties['unavailable.value.placeholder'] ?? defaultModes.unavailable,
  };
}
