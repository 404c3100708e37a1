import { isMillraceError, messageOf, MillraceError } from '../base/errors.ts';
import { converterOf, headerConverterOf } from '../codec/converters.ts';
import type { ConnectorConfig, ConnectorProperties } from '../connect/connector.ts';
import { transformationProblems } from '../transform/transformation-chain.ts';

/** Every fault of a connector's transformations, predicates and converters, by the property that it is told of. */
export function recordPathErrors(properties: ConnectorProperties): ReadonlyMap<string, readonly string[]> {
  const found: (readonly [property: string, text: string])[] = transformationProblems(properties).map(({ property, text }) => {
    // a property that is missing is told of with the list that needs it
    const list = property.startsWith('predicates') ? 'predicates' : 'transforms';
    return [Object.hasOwn(properties, property) ? property : list, text];
  });
  const converters: readonly (readonly [string, () => unknown])[] = [
    ['key.converter', () => converterOf('key', properties)],
    ['value.converter', () => converterOf('value', properties)],
    ['header.converter', () => headerConverterOf(properties)],
  ];
  for (const [property, open] of converters) {
    try {
      open();
    } catch (error) {
      found.push([property, isMillraceError(error) ? error.message : messageOf(error)]);
    }
  }
  return new Map(
    Array.from(
      Map.groupBy(found, ([property]) => property),
      ([property, own]) => [property, own.map(([, text]) => text)],
    ),
  );
}

/** @throws CONFIG_INVALID naming all of them */
export function checkRecordPath({ name, config }: ConnectorConfig): void {
  const errors = recordPathErrors(config);
  if (errors.size === 0) return;
  const texts = [...errors.values()].flat();
  const listed = texts.length === 1 ? ` ${texts[0]}` : `\n${texts.map((text) => `  - ${text}`).join('\n')}`;
  throw new MillraceError('CONFIG_INVALID', `The configuration of connector "${name}" cannot be used:${listed}`, {
    context: { connector: name, properties: [...errors.keys()] },
  });
}
