import { expect } from "chai";
import type { Job } from "../../jobs.js";
import { tryAgain } from "../../second-try.js";
import type { Tally } from "../../tally.js";

const job = (name: string, kind: Job["kind"] = "e2e"): Job => ({ name, kind, files: [] });
const green: Tally = { passed: 3, failures: [], redFiles: [], skips: ["a skip"] };
const red = (...redFiles: string[]): Tally => ({ ...green, failures: redFiles.map((file) => `${file} missed a deadline`), redFiles });

/** What is said at the end, and which files ran again, where those named in `lasting` stay red. */
async function again(first: readonly (readonly [Job, Tally])[], lasting: readonly string[] = [], isOver = () => false) {
  const results = new Map(first);
  const ran: string[] = [];
  const run = async ({ files }: Job) => {
    ran.push(...files);
    return files.some((file) => lasting.includes(file)) ? red(...files) : green;
  };
  const unsteady = await tryAgain(results, run, isOver);
  const tallies = [...results.values()];
  return { unsteady, ran, failures: tallies.flatMap(({ failures }) => failures), passed: tallies.map(({ passed }) => passed) };
}

describe("A second try of red tests", () => {
  it("is for the files that were red, and names what failed at first", async () => {
    const { unsteady, ran, failures, passed } = await again([
      [job("a"), green],
      [job("integration", "integration"), red("b", "c")],
      [job("d", "vm"), red("d")],
    ]);
    expect(ran).to.deep.equal(["b", "c", "d"]);
    expect(unsteady).to.deep.equal(["b missed a deadline", "c missed a deadline", "d missed a deadline"]);
    expect(failures).to.deep.equal([]);
    expect(passed).to.deep.equal([3, 5, 4]);
  });

  it("leaves red what is red twice", async () => {
    const { unsteady, failures, passed } = await again([[job("b"), red("b")]], ["b"]);
    expect(unsteady).to.deep.equal([]);
    expect(failures).to.deep.equal(["b missed a deadline"]);
    expect(passed).to.deep.equal([3]);
  });

  it("is not for tests that wait for nobody, nor for jobs that broke off, nor for many files, nor after an interruption", async () => {
    for (const { ran, failures } of [
      await again([
        [job("unit", "unit"), red("u")],
        [job("b"), red("b")],
      ]),
      await again([[job("integration", "integration"), { ...green, failures: ["it broke off"] }]]),
      await again([
        [job("integration", "integration"), red("a", "b")],
        [job("c"), red("c")],
        [job("d"), red("d")],
      ]),
      await again([[job("b"), red("b")]], [], () => true),
    ]) {
      expect(ran).to.deep.equal([]);
      expect(failures).to.not.deep.equal([]);
    }
  });
});
