import { type DuckDBConnection, DuckDBScalarFunction, type DuckDBType, type DuckDBValue, HUGEINT, VARCHAR } from '@duckdb/node-api';
import { isList, type Json, JsonNumber, JsonObject, parseJson } from '../../golden/lossless-json.ts';

type TextFunction = (...texts: readonly string[]) => string | bigint | null;

/** What DuckDB has no function for. NULL in, NULL out; what is thrown is the statement's error. */
export function registerFunctions(connection: DuckDBConnection): void {
  const functions: readonly (readonly [name: string, args: number, returns: DuckDBType, TextFunction])[] = [
    ['sf_parse_json', 1, VARCHAR, (text) => (text?.trim() === '' ? null : canonicalJson(text ?? ''))],
    ['sf_is_json', 1, VARCHAR, (text) => (isJson(text ?? '') ? 'true' : 'false')],
    ['sf_member', 2, VARCHAR, (json, key) => member(parseJson(json ?? ''), key ?? '')],
    ['sf_member_any_case', 2, VARCHAR, (json, key) => memberAnyCase(parseJson(json ?? ''), key ?? '')],
    ['sf_element', 2, VARCHAR, (json, index) => element(parseJson(json ?? ''), Number(index))],
    ['sf_text', 1, VARCHAR, (json) => scalarText(json ?? '')],
    ['sf_divide', 3, VARCHAR, (x, y, scale) => divide(x ?? '', y ?? '', Number(scale))],
    ['sf_hex_number', 1, HUGEINT, (hex) => hexNumber(hex ?? '')],
    [
      'sf_float_text',
      1,
      VARCHAR,
      (text) =>
        (text ?? '')
          .replace(/\.0$/, '')
          .replace(/^(-?)inf$/, '$1inf')
          .replace('nan', 'NaN'),
    ],
  ];
  for (const [name, args, returnType, work] of functions) {
    connection.registerScalarFunction(
      DuckDBScalarFunction.create({
        name,
        returnType,
        parameterTypes: Array.from({ length: args }, () => VARCHAR),
        mainFunction: (info, input, output) => {
          const vectors = Array.from({ length: args }, (_, index) => input.getColumnVector(index));
          for (let row = 0; row < input.rowCount; row += 1) {
            const texts = vectors.map((vector): DuckDBValue => vector.getItem(row));
            try {
              output.setItem(row, texts.includes(null) ? null : work(...texts.map(String)));
            } catch (error) {
              info.setError(error instanceof Error ? error.message : String(error));
              return;
            }
          }
          output.flush();
        },
      }),
    );
  }
}

/** An error that a statement ends with; `errorOfDuck` reads it back. */
export function markedError(code: string, sqlState: string, message: string): string {
  return `SF|${code}|${sqlState}|${message}|`;
}

function isJson(text: string): boolean {
  try {
    canonicalJson(text);
    return true;
  } catch {
    return false;
  }
}

/** A VARIANT as Snowflake prints it: members in the order of their names, numbers without needless zeros. */
export function canonicalJson(text: string): string {
  let parsed: Json;
  try {
    parsed = parseJson(text);
  } catch (error) {
    throw new Error(markedError('100069', '22P02', `Error parsing JSON: ${error instanceof Error ? error.message : ''}`), { cause: error });
  }
  return print(parsed);
}

function print(value: Json): string {
  if (value instanceof JsonNumber) return canonicalNumber(value.text);
  if (isList(value)) return `[${value.map(print).join(',')}]`;
  if (!(value instanceof JsonObject)) return JSON.stringify(value);
  const members = value.members.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const twice = members.find(([name], index) => members[index + 1]?.[0] === name);
  if (twice !== undefined) {
    throw new Error(markedError('100069', '22P02', `Error parsing JSON: duplicate object attribute "${twice[0]}"`));
  }
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${print(each)}`).join(',')}}`;
}

/** Up to 38 digits exactly, all else as a double. */
function canonicalNumber(text: string): string {
  const fixed = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const digits = (fixed?.[2] ?? '').replace(/^0+/, '').length + (fixed?.[3] ?? '').length;
  if (fixed === null || digits > 38) {
    if (!Number.isFinite(Number(text))) throw new Error(markedError('100069', '22P02', `Error parsing JSON: number out of range: ${text}`));
    // As many digits as the double needs: a VARIANT keeps the number, not a print of it.
    const [mantissa = '', exponent = '0'] = Number(text).toExponential().split('e');
    return `${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  const fraction = (fixed[3] ?? '').replace(/0+$/, '');
  const number = fraction === '' ? (fixed[2] ?? '0') : `${fixed[2] ?? '0'}.${fraction}`;
  return /[1-9]/.test(number) ? `${fixed[1] ?? ''}${number}` : '0';
}

function member(value: Json, key: string): string | null {
  const found = value instanceof JsonObject ? value.get(key) : undefined;
  return found === undefined ? null : print(found);
}

function memberAnyCase(value: Json, key: string): string | null {
  const found = value instanceof JsonObject ? value.members.find(([name]) => name.toUpperCase() === key.toUpperCase())?.[1] : undefined;
  return found === undefined ? null : print(found);
}

function element(value: Json, index: number): string | null {
  const found = isList(value) ? value[index] : undefined;
  return found === undefined ? null : print(found);
}

/** A VARIANT cast to VARCHAR: JSON's null is SQL's NULL then. */
function scalarText(json: string): string | null {
  if (json === 'null') return null;
  if (json.startsWith('"')) return String(JSON.parse(json));
  return json;
}

function hexNumber(hex: string): bigint {
  if (!/^[0-9a-fA-F]{1,31}$/.test(hex)) {
    throw new Error(markedError('100039', '22018', `Can't parse '${hex}' as number with a format of X`));
  }
  return BigInt(`0x${hex}`);
}

/** A quotient with so many digits after the point, rounded half away from zero. */
function divide(a: string, b: string, scale: number): string {
  const unscaled = (text: string): readonly [bigint, number] => {
    const [whole = '', fraction = ''] = text.split('.');
    return [BigInt(whole + fraction), fraction.length];
  };
  const [top, topScale] = unscaled(a);
  const [bottom, bottomScale] = unscaled(b);
  if (bottom === 0n) throw new Error(markedError('100051', '22012', 'Division by zero'));
  const negative = top < 0n !== bottom < 0n && top !== 0n;
  const size = (value: bigint): bigint => (value < 0n ? -value : value);
  // One digit more than asked for decides the rounding.
  const shifted = size(top) * 10n ** BigInt(scale + 1 + bottomScale) * 10n;
  const quotient = shifted / (size(bottom) * 10n ** BigInt(topScale) * 10n);
  const digits = ((quotient + 5n) / 10n).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return negative ? `-${text}` : text;
}
