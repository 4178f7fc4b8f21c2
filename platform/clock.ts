/** The current time in epoch seconds, with fraction. The only clock that decisions and records use. */
export function nowSeconds(): number {
  return Date.now() / 1000;
}
