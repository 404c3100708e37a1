import type { Asked } from './transcript.ts';

export interface MachineFacts {
  /** host:port of each listener. */
  readonly workers: Readonly<Partial<Record<Asked, string>>>;
  readonly mysqlPort: number;
  /** A folder with in.txt. */
  readonly files: string;
  /** A folder with what the config providers read. */
  readonly secrets: string;
}

/** Puts this machine's names in the place of a transcript's placeholders, and the other way round. */
export interface ThisMachine {
  fill(value: unknown): unknown;
  fillText(text: string): string;
  mask(value: unknown): unknown;
  maskText(text: string): string;
}

export function thisMachine({ workers, mysqlPort, files, secrets }: MachineFacts): ThisMachine {
  const port = String(mysqlPort);
  const names: (readonly [placeholder: string, here: string])[] = [
    ...Object.entries(workers).map(([name, address]) => [`<worker:${name}>`, address] as const),
    ['<bootstrap>', '127.0.0.1:9092'],
    ['<files>', files],
    ['<secrets>', secrets],
  ];
  const longestFirst = names.toSorted(([, a], [, b]) => b.length - a.length);
  const fillText = (text: string): string =>
    [...names, ['<mysql.port>', port] as const].reduce((filled, [placeholder, here]) => filled.replaceAll(placeholder, here), text);
  const maskText = (text: string): string => {
    if (text === port) return '<mysql.port>';
    return longestFirst
      .reduce((masked, [placeholder, here]) => masked.replaceAll(here, placeholder), text)
      .replaceAll(`"${port}"`, '"<mysql.port>"')
      .replaceAll(`:${port}`, ':<mysql.port>');
  };
  return {
    fillText,
    maskText,
    fill: (value) => mapTexts(value, fillText),
    mask: (value) => mapTexts(value, maskText),
  };
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [change(name), mapTexts(each, change)]));
}
