import { EvenkeelError } from "../../platform/errors.js";

/** Reads whitespace-separated integers from a file's bytes, and knows the line it is on when something is wrong. */
export class IntegerReader {
  private at = 0;
  private line = 1;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly fileName: string,
  ) {}

  /** The next integer, which the error message calls `what`. Throws INPUT_INVALID when absent, no integer, or out of range. */
  next(what: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    this.skipBlanks();
    const bytes = this.bytes;
    if (this.at >= bytes.length) throw this.error(`the file ends where ${what} should stand`);
    const negative = bytes[this.at] === 0x2d;
    if (negative) this.at++;
    const first = this.at;
    let value = 0;
    for (; this.at < bytes.length; this.at++) {
      const digit = bytes[this.at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (this.at === first || (this.at < bytes.length && bytes[this.at]! > 0x20)) throw this.error(`${what} is not an integer`);
    if (negative) value = -value;
    if (value < least || value > most) throw this.error(`${what} is ${value}, not in ${least} … ${most}`);
    return value;
  }

  /** Throws INPUT_INVALID when anything is left. */
  end(): void {
    this.skipBlanks();
    if (this.at < this.bytes.length) throw this.error("there is more in the file than the numbers before announce");
  }

  private skipBlanks(): void {
    const bytes = this.bytes;
    for (; this.at < bytes.length && bytes[this.at]! <= 0x20; this.at++) if (bytes[this.at] === 0x0a) this.line++;
  }

  private error(problem: string): EvenkeelError {
    return new EvenkeelError("INPUT_INVALID", `${this.fileName}, line ${this.line}: ${problem}`, {
      facts: { file: this.fileName, line: this.line },
    });
  }
}
