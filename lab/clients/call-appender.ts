import { createHash } from "node:crypto";
import { Connection } from "./connection.js";
import type { Caller } from "./dialogue.js";
import { lineDialogue } from "./line-exchange.js";

const START = "0".repeat(64);

/** Every so many requests the workload reads its whole file again. */
const AUDIT_EVERY = 250;

/** Recomputes the chain of the appender's lines as it grows; a line lost, changed or written twice breaks it for good. */
export function makeAppenderCaller(): Caller {
  let count = 0;
  let tip = START;

  /** The chain up to `to`, which must not be shorter than what was seen before. */
  function checkTip(to: number, claimed: string | undefined, where: string): string[] {
    if (!(to >= count)) {
      const fault = `${where} holds ${to} lines, but ${count} were there before`;
      [count, tip] = [0, START];
      return [fault];
    }
    for (; count < to; count++)
      tip = createHash("sha256")
        .update(`${tip} ${count + 1}`)
        .digest("hex");
    return claimed === tip ? [] : [`line ${to} in ${where} has hash ${claimed}, expected ${tip}`];
  }

  return async (address) => {
    let asked = 0;
    return lineDialogue(await Connection.open(address), () => {
      if (++asked % AUDIT_EVERY === 1) return { words: "audit", check: ([lines, hash]) => checkTip(Number(lines), hash, "the file") };
      return {
        words: "last",
        check: ([lines, hash, fileLines, fileHash]) => {
          const faults = checkTip(Number(lines), hash, "memory");
          return lines === fileLines && hash === fileHash
            ? faults
            : [...faults, `memory ends with line ${lines}, the file with ${fileLines}`];
        },
      };
    });
  };
}
