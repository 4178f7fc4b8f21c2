import { Connection } from "./connection.js";
import type { Caller } from "./dialogue.js";
import { generatorState } from "./generator-state.js";
import { lineDialogue } from "./line-exchange.js";

export interface Burner {
  readonly call: Caller;
  /** Has the burner told, over its one connection, to burn this share of a core; resolves once it has said yes. */
  readonly burn: (percent: number) => Promise<void>;
}

/** Proves the work the burner says it has done. Its progress never goes back, not even over a new connection. */
export function makeBurner(): Burner {
  let stepsSeen = 0n;
  let percentAgreed: number | undefined;
  let order: { percent: number; done: () => void } | undefined;

  function check([percent, steps = "", state = ""]: readonly string[], asked: number | undefined): string[] {
    const faults: string[] = [];
    if (!/^\d+$/.test(steps) || BigInt(steps) < stepsSeen) faults.push(`${steps} steps done, but ${stepsSeen} were done before`);
    else {
      stepsSeen = BigInt(steps);
      const expected = generatorState(stepsSeen).toString(16).padStart(16, "0");
      if (state !== expected) faults.push(`state ${state} after ${steps} steps, expected ${expected}`);
    }
    percentAgreed = asked ?? percentAgreed ?? Number(percent);
    if (Number(percent) !== percentAgreed) faults.push(`burns ${percent} %, was told ${percentAgreed} %`);
    return faults;
  }

  return {
    call: async (address) =>
      lineDialogue(await Connection.open(address), () => {
        const current = order;
        if (!current) return { words: "work", check: (fields) => check(fields, undefined) };
        return {
          words: `burn ${current.percent}`,
          check: (fields) => {
            const faults = check(fields, current.percent);
            if (order === current) order = undefined;
            current.done();
            return faults;
          },
        };
      }),
    burn: (percent) =>
      new Promise((resolve) => {
        const overtaken = order;
        const done = () => {
          overtaken?.done();
          resolve();
        };
        order = { percent, done };
      }),
  };
}
