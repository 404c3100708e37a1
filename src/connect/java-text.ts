import { bigDecimalText, javaDouble, javaFloat } from '../base/java-number.ts';
import { decimalText } from '../event/cell.ts';
import { Decimal, Struct } from './data.ts';
import type { ConnectValue, Schema } from './data.ts';
import { isArray, isMap } from './schema.ts';

/** A decimal as `BigDecimal.toString` gives it. */
export function decimalJavaText({ unscaled, scale }: Decimal): string {
  if (scale >= 0) return bigDecimalText(decimalText(unscaled, scale));
  // digits before the point only: 1E+3
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, 1)}${fraction}E+${digits.length - 1 - scale}`;
}

/** A number as Java's `toString` of its type; without a schema it is a double. */
export function numberText(value: number, type: Schema['type'] | undefined): string {
  if (type === 'float32') return Number.isFinite(value) ? javaFloat(value) : nonFiniteText(value);
  if (type === undefined || type === 'float64') return Number.isFinite(value) ? javaDouble(value) : nonFiniteText(value);
  return String(value);
}

/** `toString` of a value as Java prints it; null is `null`. */
export function javaText(schema: Schema | null, value: ConnectValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value, schema?.type);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Decimal) return decimalJavaText(value);
  // Debezium's binary values are ByteBuffers, whose text does not tell what is in them.
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (value instanceof Struct) {
    const members = (value.schema.fields ?? []).flatMap((field, index) => {
      const member = value.values[index] ?? null;
      return member === null ? [] : [`${field.name}=${javaText(field.schema, member)}`];
    });
    return `Struct{${members.join(',')}}`;
  }
  if (isMap(value)) {
    const pairs = Array.from(
      value,
      ([key, each]) => `${javaText(schema?.keySchema ?? null, key)}=${javaText(schema?.valueSchema ?? null, each)}`,
    );
    return `{${pairs.join(', ')}}`;
  }
  if (isArray(value)) return `[${value.map((each) => javaText(schema?.valueSchema ?? null, each)).join(', ')}]`;
  return '';
}

/** Java's class of a value, for messages. */
export function javaClass(schema: Schema | null, value: ConnectValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'java.lang.String';
  if (typeof value === 'boolean') return 'java.lang.Boolean';
  if (typeof value === 'bigint') return 'java.lang.Long';
  if (typeof value === 'number') return numberClasses[schema?.type ?? 'float64'] ?? 'java.lang.Double';
  if (value instanceof Decimal) return 'java.math.BigDecimal';
  if (value instanceof Uint8Array) return 'java.nio.HeapByteBuffer';
  if (value instanceof Struct) return 'org.apache.kafka.connect.data.Struct';
  return isMap(value) ? 'java.util.HashMap' : 'java.util.ArrayList';
}

const numberClasses: Readonly<Partial<Record<Schema['type'], string>>> = {
  int8: 'java.lang.Byte',
  int16: 'java.lang.Short',
  int32: 'java.lang.Integer',
  float32: 'java.lang.Float',
};

function nonFiniteText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
