/**
 * The content type that an answer in JSON gets for a request's Accept header; undefined: the client takes none of it. What
 * asks for a parameter (`application/json;charset=utf-8`) gets it back, as from Connect's server.
 */
export function acceptedJson(accept: string | undefined): string | undefined {
  if (accept === undefined || accept.trim() === '') return 'application/json';
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((part) => /^q=/i.test(part))?.slice(2) ?? 1);
    return { type: type.toLowerCase(), parameters: parameters.filter((part) => !/^q=/i.test(part)), quality };
  });
  const taken = ranges
    .filter(
      ({ type, quality }) => quality > 0 && (type === 'application/json' || type === 'application/*' || type === '*/*' || type === '*'),
    )
    .toSorted((a, b) => b.quality - a.quality)[0];
  if (taken === undefined) return undefined;
  return taken.type === 'application/json' ? ['application/json', ...taken.parameters].join(';') : 'application/json';
}

/** Whether a body says that it is JSON. */
export function isJsonBody(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}
