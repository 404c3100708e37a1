import { MillraceError } from '../base/errors.ts';
import type { Converter, HeaderConverter } from '../connect/record.ts';
import { JsonConverter } from './json-converter.ts';
import {
  booleanConverter,
  byteArrayConverter,
  createNumberConverter,
  createStringConverter,
  headerConverter,
  simpleHeaderConverter,
} from './plain-converters.ts';

type Properties = Readonly<Record<string, string>>;

const json = 'org.apache.kafka.connect.json.JsonConverter';
const simple = 'org.apache.kafka.connect.storage.SimpleHeaderConverter';

/** Makes a converter of its own properties, without prefix. */
type Make = (settings: Settings) => Converter;

const valueConverters: Readonly<Record<string, Make>> = {
  [json]: createJson,
  'org.apache.kafka.connect.storage.StringConverter': createString,
  'org.apache.kafka.connect.converters.ByteArrayConverter': () => byteArrayConverter,
  'org.apache.kafka.connect.converters.ShortConverter': () => createNumberConverter('int16'),
  'org.apache.kafka.connect.converters.IntegerConverter': () => createNumberConverter('int32'),
  'org.apache.kafka.connect.converters.LongConverter': () => createNumberConverter('int64'),
  'org.apache.kafka.connect.converters.FloatConverter': () => createNumberConverter('float32'),
  'org.apache.kafka.connect.converters.DoubleConverter': () => createNumberConverter('float64'),
  'org.apache.kafka.connect.converters.BooleanConverter': () => booleanConverter,
};

/** The classes that `key.converter` and `value.converter` can name. */
export const converterClasses: readonly string[] = Object.keys(valueConverters);
export const headerConverterClasses: readonly string[] = [simple, ...converterClasses];

/** Whether records of JSON alone, as the renderer writes them, are what this connector's converters give. */
export function convertsAsRendered(properties: Properties): boolean {
  return (
    classOf(properties, 'key') === json &&
    classOf(properties, 'value') === json &&
    (classOf(properties, 'header') === json || classOf(properties, 'header') === simple)
  );
}

/**
 * The converter of keys or values that a connector's properties ask for, the worker's added to them; JsonConverter when none
 * is named.
 * @throws CONFIG_INVALID
 */
export function converterOf(kind: 'key' | 'value', properties: Properties): Converter {
  const name = classOf(properties, kind);
  const make = valueConverters[name];
  if (make !== undefined) return make(settingsOf(`${kind}.converter`, properties));
  throw unknownClass(`${kind}.converter`, name, converterClasses);
}

/** The converter of headers; SimpleHeaderConverter when none is named. @throws CONFIG_INVALID */
export function headerConverterOf(properties: Properties): HeaderConverter {
  const name = classOf(properties, 'header');
  if (name === simple) return simpleHeaderConverter;
  const make = valueConverters[name];
  if (make === undefined) throw unknownClass('header.converter', name, headerConverterClasses);
  return headerConverter(make(settingsOf('header.converter', properties)));
}

/** Full names by the short ones that Kafka Connect takes, too. */
const aliases = new Map(
  headerConverterClasses.flatMap((name) => {
    const short = name.slice(name.lastIndexOf('.') + 1);
    return [
      [short, name],
      [short.replace(/Converter$/, ''), name],
    ];
  }),
);

function classOf(properties: Properties, kind: 'key' | 'value' | 'header'): string {
  const given = properties[`${kind}.converter`]?.trim() ?? '';
  if (given === '') return kind === 'header' ? simple : json;
  return aliases.get(given) ?? given;
}

function unknownClass(property: string, name: string, known: readonly string[]): MillraceError {
  return new MillraceError('CONFIG_INVALID', `${property} is ${name}, which is no converter of Millrace`, {
    nextStep: `Use one of: ${known.join(', ')}.`,
    context: { property },
  });
}

interface Settings {
  readonly prefix: string;
  text(name: string): string | undefined;
  flag(name: string, fallback: boolean): boolean;
}

function settingsOf(prefix: string, properties: Properties): Settings {
  const text = (name: string): string | undefined => properties[`${prefix}.${name}`]?.trim();
  return {
    prefix,
    text,
    flag(name, fallback) {
      const given = text(name)?.toLowerCase() ?? String(fallback);
      if (given === 'true' || given === 'false') return given === 'true';
      throw new MillraceError('CONFIG_INVALID', `${prefix}.${name} is ${given}, and can be true, false`);
    },
  };
}

function createJson(settings: Settings): Converter {
  const format = settings.text('decimal.format')?.toLowerCase() ?? 'base64';
  if (format !== 'base64' && format !== 'numeric') {
    throw new MillraceError('CONFIG_INVALID', `${settings.prefix}.decimal.format is ${format}, and can be BASE64, NUMERIC`);
  }
  return new JsonConverter({
    schemas: settings.flag('schemas.enable', true),
    decimalFormat: format,
    replaceNullWithDefault: settings.flag('replace.null.with.default', true),
  });
}

function createString(settings: Settings): Converter {
  const encoding = settings.text('converter.encoding') ?? 'UTF-8';
  const known = encodings.get(encoding.toLowerCase());
  if (known !== undefined) return createStringConverter(known);
  throw new MillraceError(
    'CONFIG_UNSUPPORTED',
    `${settings.prefix}.converter.encoding is ${encoding}; Millrace writes UTF-8, ISO-8859-1, US-ASCII, UTF-16LE`,
  );
}

const encodings = new Map<string, BufferEncoding>([
  ['utf-8', 'utf8'],
  ['utf8', 'utf8'],
  ['iso-8859-1', 'latin1'],
  ['us-ascii', 'ascii'],
  ['utf-16le', 'utf16le'],
]);
