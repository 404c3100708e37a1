import { MillraceError } from '../base/errors.ts';

/** Headers that every answer gets: `response.http.headers.config`. */
export type HeaderRule = (date: Date) => readonly [name: string, value: string];

/**
 * Reads rules such as `set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store", addDate Expires: 3600000`.
 * Source: Kafka Connect's RestServerConfig, Jetty's HeaderFilter.
 *
 * @throws CONFIG_INVALID
 */
export function readHeaderRules(text: string): readonly HeaderRule[] {
  const items = [...text.matchAll(/"([^"]*)"|([^,"]+)/g)]
    .map(([, quoted, bare]) => (quoted ?? bare ?? '').trim())
    .filter((item) => item !== '');
  return items.map((item) => {
    const [, action = '', name = '', value = ''] = /^(\w+)\s+([^:\s]+)\s*:\s*(.*)$/.exec(item) ?? [];
    switch (action) {
      case 'set':
      case 'add':
        return () => [name, value];
      case 'setDate':
      case 'addDate':
        return (date) => [name, new Date(date.getTime() + Number(value)).toUTCString()];
      default:
        throw new MillraceError('CONFIG_INVALID', `response.http.headers.config: "${item}" is no rule.`, {
          nextStep: 'Write rules as: [set|add|setDate|addDate] header: value.',
        });
    }
  });
}
