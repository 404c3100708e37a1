/** A time as its three members; nanoseconds are beyond what a number holds. */
export function clockText(micros: number): { readonly ms: string; readonly us: string; readonly ns: string } {
  return { ms: String(Math.floor(micros / 1000)), us: String(micros), ns: micros === 0 ? '0' : `${micros}000` };
}
