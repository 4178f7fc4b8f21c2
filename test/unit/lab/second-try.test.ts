import { expect } from "chai";
import type { Job } from "../../jobs.js";
import { tryAgain } from "../../second-try.js";
import type { Tally } from "../../tally.js";

const job = (name: string, kind: Job["kind"] = "e2e"): Job => ({ name, kind, files: [] });
const green: Tally = { passed: 1, failures: [], skips: [] };
const red: Tally = { passed: 0, failures: ["a deadline"], skips: [] };

/** What is said at the end, and which files ran again, where those named in `lasting` stay red. */
async function again(first: readonly (readonly [Job, Tally])[], lasting: readonly string[] = [], isOver = () => false) {
  const results = new Map(first);
  const ran: string[] = [];
  const run = async (tried: Job) => {
    ran.push(tried.name);
    results.set(tried, lasting.includes(tried.name) ? red : green);
  };
  const unsteady = await tryAgain(results, run, isOver);
  return { unsteady, ran, failures: [...results.values()].flatMap(({ failures }) => failures) };
}

describe("A second try of red tests", () => {
  it("is for files of the lab that were red, and names what failed at first", async () => {
    const { unsteady, ran, failures } = await again([
      [job("a"), green],
      [job("b"), red],
      [job("c", "vm"), red],
    ]);
    expect(ran).to.deep.equal(["b", "c"]);
    expect(unsteady).to.deep.equal(["a deadline", "a deadline"]);
    expect(failures).to.deep.equal([]);
  });

  it("leaves red what is red twice", async () => {
    const { unsteady, failures } = await again([[job("b"), red]], ["b"]);
    expect(unsteady).to.deep.equal([]);
    expect(failures).to.deep.equal(["a deadline"]);
  });

  it("is not for tests without a lab, nor for many files, nor after an interruption", async () => {
    const many = ["a", "b", "c", "d"].map((name) => [job(name), red] as const);
    for (const { ran, failures } of [
      await again([
        [job("unit", "unit"), red],
        [job("b"), red],
      ]),
      await again(many),
      await again([[job("b"), red]], [], () => true),
    ]) {
      expect(ran).to.deep.equal([]);
      expect(failures).to.not.deep.equal([]);
    }
  });
});
