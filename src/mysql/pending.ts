/** A promise that is waited for in turns with others, by looking whether it is settled. */
export interface Pending<T> {
  /** Settles without a rejection. */
  readonly settled: Promise<void>;
  /** What it settled with; undefined before. */
  readonly result: { readonly value: T } | { readonly error: unknown } | undefined;
}

export function pending<T>(promise: Promise<T>): Pending<T> {
  let result: Pending<T>['result'];
  const settled = promise.then(
    (value) => {
      result = { value };
    },
    (error: unknown) => {
      result = { error };
    },
  );
  return {
    settled,
    get result() {
      return result;
    },
  };
}

/** The value of a settled promise, or its error thrown. */
export function valueOf<T>(result: NonNullable<Pending<T>['result']>): T {
  if ('error' in result) throw result.error;
  return result.value;
}
