import { expect } from "chai";
import { makeTurns } from "../../../scheduler/act/turns.js";

describe("turns", () => {
  it("begin when the one before has ended, in the order in which they were asked for, well or not", async () => {
    const inTurn = makeTurns();
    const seen: string[] = [];
    const task =
      (name: string, fails = false) =>
      async () => {
        seen.push(`${name} begins`);
        await new Promise(setImmediate);
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const [first, second, third] = await Promise.allSettled([inTurn(task("a")), inTurn(task("b", true)), inTurn(task("c"))]);
    expect(seen).to.deep.equal(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    expect([first.status, second.status, third.status]).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
  });
});
