import type { Column } from '../../event/table-schema.ts';
import { hexText } from '../column-type.ts';
import type { DefaultValue } from './statement.ts';
import { dateText, datetimeText, timeText, yearText, type TemporalRules } from './temporal-text.ts';

type Literal = Extract<DefaultValue, { kind: 'text' | 'number' | 'hex' | 'bit' }>;

/**
 * The text in which the server prints a literal default of this column, which is also that of the value that it puts
 * into rows; undefined where that is not certain.
 */
export function literalText(literal: Literal, column: Column, rules: TemporalRules): string | undefined {
  const { type } = column;
  switch (type.kind) {
    case 'int':
      return padded(integerText(literal), column);
    case 'decimal':
      return decimalText(literal, column);
    case 'float':
    case 'double':
      return floatText(literal, column);
    case 'bit':
      return bitText(literal);
    case 'year':
      return yearText(literal);
    case 'date':
      return isZero(literal) ? implicitDefault(column) : plain(literal, (text) => dateText(text));
    case 'time':
      return plain(literal, (text) => timeText(text, { fsp: type.fsp, fractions: rules.fractions }));
    case 'datetime':
      return isZero(literal)
        ? implicitDefault(column)
        : plain(literal, (text) => datetimeText(text, { fsp: type.fsp, fractions: rules.fractions }));
    case 'timestamp':
      return isZero(literal) ? implicitDefault(column) : plain(literal, (text) => datetimeText(text, { fsp: type.fsp, ...rules }));
    case 'text': {
      const text = characters(literal);
      return text !== undefined && column.nativeType === 'CHAR' ? text.replace(/ +$/, '') : text;
    }
    case 'enum':
      return matchingLabel(characters(literal), type.labels);
    case 'set':
      return setText(characters(literal), type.labels);
    case 'binary': {
      const bytes = bytesOf(literal);
      if (bytes === undefined) return undefined;
      return hexText(type.fixedLength === undefined || bytes.length >= type.fixedLength ? bytes : Buffer.concat([bytes], type.fixedLength));
    }
    case 'uuid':
      return literal.kind === 'text' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(literal.value)
        ? literal.value.toLowerCase()
        : undefined;
    case 'inet4':
      return literal.kind === 'text' && /^(\d|[1-9]\d{1,2})(\.(\d|[1-9]\d{1,2})){3}$/.test(literal.value) ? literal.value : undefined;
    case 'inet6':
      return literal.value === '::' || literal.value === '::1' ? literal.value : undefined;
    case 'json':
    case 'geometry':
    case 'vector':
      return undefined;
  }
}

/**
 * What existing rows get in a NOT NULL column that is added without a default, in the form of `literalText`; undefined
 * where that is not certain.
 */
export function implicitDefault(column: Column): string | undefined {
  const { type } = column;
  switch (type.kind) {
    case 'int':
      return padded('0', column);
    case 'decimal':
    case 'float':
    case 'double':
      return literalText({ kind: 'number', value: '0' }, column, { timeZone: '+00:00', fractions: 'round' });
    case 'bit':
      return "b'0'";
    case 'year':
      return '0000';
    case 'date':
      return '0000-00-00';
    case 'time':
      return `00:00:00${fraction(type.fsp)}`;
    case 'datetime':
    case 'timestamp':
      return `0000-00-00 00:00:00${fraction(type.fsp)}`;
    case 'text':
    case 'set':
      return '';
    case 'enum':
      return type.labels[0];
    case 'binary':
      return hexText(new Uint8Array(type.fixedLength ?? 0));
    case 'json':
      return 'null';
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000';
    case 'inet4':
      return '0.0.0.0';
    case 'inet6':
      return '::';
    case 'geometry':
    case 'vector':
      return undefined;
  }
}

/** DEFAULT 0: the zero date. */
function isZero({ kind, value }: Literal): boolean {
  return kind === 'number' && /^0+$/.test(value);
}

function fraction(fsp: number): string {
  return fsp === 0 ? '' : `.${'0'.repeat(fsp)}`;
}

/** Of a text or a number: the given function of its characters. */
function plain(literal: Literal, convert: (text: string) => string | undefined): string | undefined {
  return literal.kind === 'text' || literal.kind === 'number' ? convert(literal.value) : undefined;
}

/** The text of a literal in a column of characters. */
function characters(literal: Literal): string | undefined {
  if (literal.kind === 'number') return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(literal.value) ? literal.value : undefined;
  if (literal.kind === 'text') {
    const unicode = literal.introducer === undefined || literal.introducer.startsWith('utf8');
    return unicode || isAscii(literal.value) ? literal.value : undefined;
  }
  const text = bytesOf(literal)?.toString('latin1');
  return text !== undefined && isAscii(text) ? text : undefined;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function bytesOf(literal: Literal): Buffer | undefined {
  switch (literal.kind) {
    case 'hex':
      return Buffer.from(literal.value.length % 2 === 0 ? literal.value : `0${literal.value}`, 'hex');
    case 'bit': {
      const digits = BigInt(`0b${literal.value || '0'}`).toString(16);
      return Buffer.from(digits.padStart(Math.ceil(literal.value.length / 8) * 2, '0'), 'hex');
    }
    case 'text':
    case 'number': {
      const text = characters(literal);
      return text === undefined ? undefined : Buffer.from(text);
    }
  }
}

/** The digits of a number, unscaled: `-3.50` is -350 with scale 2. */
function parseDecimal(literal: Literal): { unscaled: bigint; scale: number } | undefined {
  if (literal.kind === 'hex') return { unscaled: BigInt(`0x${literal.value || '0'}`), scale: 0 };
  if (literal.kind === 'bit') return { unscaled: BigInt(`0b${literal.value || '0'}`), scale: 0 };
  const found = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?\s*$/i.exec(literal.value);
  const [, sign, whole = '', digits = '', exponent = '0'] = found ?? [];
  if (found === null || whole + digits === '') return undefined;
  const unscaled = BigInt(whole + digits) * (sign === '-' ? -1n : 1n);
  const scale = digits.length - Number(exponent);
  return scale < 0 ? { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 } : { unscaled, scale };
}

/** Rounds half away from zero, as the server does. */
function rescale({ unscaled, scale }: { readonly unscaled: bigint; readonly scale: number }, to: number): bigint {
  if (scale <= to) return unscaled * 10n ** BigInt(to - scale);
  const divisor = 10n ** BigInt(scale - to);
  const half = unscaled < 0n ? -divisor / 2n : divisor / 2n;
  return (unscaled + half) / divisor;
}

function integerText(literal: Literal): string | undefined {
  const parsed = parseDecimal(literal);
  return parsed === undefined ? undefined : String(rescale(parsed, 0));
}

/** ZEROFILL shows in the text of a default. */
function padded(text: string | undefined, { nativeType, length }: Column): string | undefined {
  return nativeType.endsWith('ZEROFILL') && text !== undefined ? text.padStart(length ?? 0, '0') : text;
}

function decimalText(literal: Literal, column: Column): string | undefined {
  const parsed = parseDecimal(literal);
  if (parsed === undefined) return undefined;
  const { length = 10, scale = 0 } = column;
  const unscaled = rescale(parsed, scale);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const shown = column.nativeType.endsWith('ZEROFILL') ? whole.padStart(length - scale, '0') : whole;
  return `${unscaled < 0n ? '-' : ''}${shown}${scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`}`;
}

/** FLOAT prints 6 digits, DOUBLE the shortest text; from 1e15 on with an exponent, without a plus sign. */
function floatText(literal: Literal, { type, nativeType, scale }: Column): string | undefined {
  if ((literal.kind !== 'number' && literal.kind !== 'text') || nativeType.endsWith('ZEROFILL')) return undefined;
  const value = Number(literal.value);
  if (literal.value.trim() === '' || !Number.isFinite(value)) return undefined;
  if (scale !== undefined) return Math.abs(value) < 1e15 ? value.toFixed(scale) : undefined;
  const shortest = type.kind === 'float' ? Number(Math.fround(value).toPrecision(6)) : value;
  const [mantissa = '0', exponentText = '0'] = shortest.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < -15 || exponent > 14) return `${mantissa}e${exponent}`;
  const digits = mantissa.replace(/^-|\./g, '');
  const sign = mantissa.startsWith('-') ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}

function bitText(literal: Literal): string | undefined {
  if (literal.kind === 'text') return undefined;
  const parsed = parseDecimal(literal);
  return parsed === undefined || parsed.unscaled < 0n ? undefined : `b'${rescale(parsed, 0).toString(2)}'`;
}

/** Labels are found without regard to case, as their collations do; an accent could match too, which is not tried. */
function matchingLabel(text: string | undefined, labels: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  const wanted = text.replace(/ +$/, '');
  return labels.find((label) => label === wanted) ?? labels.find((label) => label.toLowerCase() === wanted.toLowerCase());
}

function setText(text: string | undefined, labels: readonly string[]): string | undefined {
  if (text === undefined || text === '') return text;
  const members = text.split(',').map((member) => matchingLabel(member, labels));
  if (members.includes(undefined)) return undefined;
  return labels.filter((label) => members.includes(label)).join(',');
}
