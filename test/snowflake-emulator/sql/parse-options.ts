import type { OptionMap, OptionValue } from './ast.ts';
import type { TokenReader } from './token-reader.ts';

/** `(NAME = value, …)`, commas as one likes. */
export function parseOptions(reader: TokenReader): OptionMap {
  reader.expectSymbol('(');
  const options: Record<string, OptionValue> = {};
  while (!reader.acceptSymbol(')')) {
    const [name, value] = parseOption(reader);
    options[name] = value;
    reader.acceptSymbol(',');
  }
  return options;
}

/** An option's value as a text; one that is a list or has options of its own has none. */
export function optionText(options: OptionMap, name: string, fallback: string): string {
  const value = options[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : fallback;
}

/** `NAME = value …` to the end of the statement, or to a word that is no option. */
export function parseTrailingOptions(reader: TokenReader): OptionMap {
  const options: Record<string, OptionValue> = {};
  while (reader.peek().kind === 'word' && reader.isSymbol('=', 1)) {
    const [name, value] = parseOption(reader);
    options[name] = value;
    reader.acceptSymbol(',');
  }
  return options;
}

function parseOption(reader: TokenReader): readonly [string, OptionValue] {
  const token = reader.next();
  if (token.kind !== 'word') throw reader.fail();
  if (!reader.acceptSymbol('=>')) reader.expectSymbol('=');
  const name = token.text.toUpperCase();
  // FORMAT_NAME's value names an object: it keeps its parts, folded.
  if (name === 'FORMAT_NAME' && reader.peek().kind !== 'string') return [name, reader.name()];
  return [name, parseValue(reader)];
}

function parseValue(reader: TokenReader): OptionValue {
  if (reader.isSymbol('(')) {
    const nested = reader.isSymbol('=', 2) || reader.isSymbol(')', 1);
    if (nested) return parseOptions(reader);
    return reader.parenthesized(() => String(scalar(reader)));
  }
  return scalar(reader);
}

function scalar(reader: TokenReader): string | number | boolean {
  const negative = reader.acceptSymbol('-');
  const token = reader.next();
  switch (token.kind) {
    case 'number':
      return negative ? -Number(token.text) : Number(token.text);
    case 'string':
      return token.text;
    case 'quoted':
      return token.text;
    case 'word': {
      const word = token.text.toUpperCase();
      return word === 'TRUE' ? true : word === 'FALSE' ? false : word;
    }
    case 'symbol':
    case 'end':
      throw reader.fail();
  }
}
