/** `access.control.allow.origin` and `.methods`: what browsers are told. */
export interface CrossOrigin {
  readonly origins: readonly string[];
  readonly methods: string;
}

export interface CrossOriginRequest {
  readonly origin: string | undefined;
  readonly isPreflight: boolean;
}

/** Headers for a request with an Origin; none for other origins. */
export function crossOriginHeaders(
  { origins, methods }: CrossOrigin,
  { origin, isPreflight }: CrossOriginRequest,
): readonly (readonly [string, string])[] {
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return [];
  const allowed = ['access-control-allow-origin', origin] as const;
  if (!isPreflight) return [allowed];
  return [
    allowed,
    ['access-control-allow-methods', methods],
    ['access-control-allow-headers', 'Content-Type'],
    ['access-control-max-age', '60'],
  ];
}
