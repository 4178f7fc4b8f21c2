import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { check } from "../../../bench/roadef/check.js";
import { parseInstance } from "../../../bench/roadef/parse-instance.js";
import { SearchState } from "../../../policies/search/state.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Two resources (the first transient, weights 10 and 1), three machines in two neighbourhoods and locations, two services (the second depends
 * on the first), four processes, one balance, weights 1, 10 and 100.
 */
const MODEL = `2  1 10  0 1
3
0 0  30 400  16 80  0 1 4
0 0  10 240   8 160  1 0 3
1 1  20 200  16 160  4 4 0
2
2 0
1 1 0
4
0  12 10  1000
0  10 20  100
1   6 200 1
1   8 8   1
1
0 1 20 10
1 10 100
`;
const START = "0 2 0 2";
const judge = (solution: string) => check(bytes(MODEL), bytes(START), bytes(solution));
const stateOf = (solution: string): SearchState => {
  const model = parseInstance(bytes(MODEL), "model", bytes(START), "start");
  return new SearchState(model, Int32Array.from(solution.split(" "), Number));
};

describe("a ROADEF instance", () => {
  it("costs what the rules say, reckoned by hand", () => {
    // Use: machine 0 (18, 210), machine 2 (18, 28). Loads: 10·2 + 130 + 10·2 = 170.
    // Balance: 20·12 - 190 = 50, 20·10 - 240 < 0, 20·2 - 172 < 0; times 10 = 500.
    expect(judge(START)).to.deep.equal({ feasible: true, violations: [], initialCost: 670, cost: 670 });
    expect(stateOf(START).cost).to.equal(670);
  });

  it("costs the same by the checker and by the search after a move", () => {
    // Process 3 goes from machine 2 to 1: loads 10·2 + 130 = 150, balance 500 (0) + 0 (1: 20·2-232) + 0 (2: 20·10-180 = 20 -> 200), moves 1 + 10 + 100·4.
    expect(judge("0 2 0 1").cost).to.equal(150 + 500 + 200 + 411);
    expect(stateOf("0 2 0 1").cost).to.equal(1261);
  });

  it("is judged infeasible, with the reason, when a rule is broken", () => {
    expect(judge("1 2 0 2").violations).to.include("machine 1 uses 12 of 10 of resource 0");
    expect(judge("0 0 0 2").violations).to.include("service 0 has two processes on one machine");
    expect(judge("0 0 0 2").violations).to.include("service 0 is in 1 locations, not 2");
    expect(judge("0 1 0 2").violations).to.include("service 1 runs in neighbourhood 1 without service 0");
    expect(judge("0 2 0").violations).to.deep.equal(["3 machines for 4 processes"]);
    expect(judge("0 2 0 7").violations).to.deep.equal(["process 3 is on machine 7, which does not exist"]);
  });

  it("counts transient use on both machines of a move", () => {
    // Machine 2 (20) holds 18; process 0 (12) would fit beside process 1 (10) only if process 3's 8 were let go.
    expect(judge("2 0 0 1").violations).to.include("machine 2 uses 30 of 20 of resource 0");
  });

  it("says in which line of which file a number is wrong", () => {
    const parse = (model: string, start: string) => () => parseInstance(bytes(model), "m.txt", bytes(start), "a.txt");
    expect(parse(MODEL.replace("30 400", "30 x00"), START)).to.throw("m.txt, line 3: machine 0's capacity is not an integer");
    expect(parse(MODEL.replace("2 0\n", "2 1 9\n"), START)).to.throw("m.txt, line 7: service 0's dependency is 9, not in 0 … 1");
    expect(parse(`${MODEL}5`, START)).to.throw("m.txt, line 17: there is more in the file");
    expect(parse(MODEL, "0 2\n0")).to.throw("a.txt, line 2: the file ends where process 3's machine should stand");
    expect(parse(MODEL, "0 2 0 3")).to.throw("a.txt, line 1: process 3's machine is 3, not in 0 … 2");
  });
});

describe("bench:roadef", function () {
  this.timeout(60_000);
  const main = join(import.meta.dirname, "../../../bench/roadef/main.js");
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-roadef-"));
    await writeFile(join(folder, "model_tiny.txt"), MODEL);
    await writeFile(join(folder, "start.txt"), START);
  });
  after(() => rm(folder, { recursive: true }));

  const run = (...more: string[]) =>
    promisify(execFile)(process.execPath, [main, "--assignment", join(folder, "start.txt"), "--out", join(folder, "out.txt"), ...more]);

  it("writes an assignment that the checker finds as good as it was printed", async () => {
    const { stdout } = await run("--model", join(folder, "model_tiny.txt"), "--seconds", "1", "--json");
    const result = JSON.parse(stdout);
    expect(result).to.include({ instance: "tiny", initialCost: 670, feasible: true, seed: 1, workers: 2 });
    const judged = judge(await readFile(join(folder, "out.txt"), "utf8"));
    expect(judged.feasible).to.equal(true);
    expect(judged.cost).to.equal(result.cost);
    expect(result.cost).to.be.at.most(670);
  });

  it("fails with the catalogue's words when a file is missing or a number is wrong", async () => {
    const fails = async (...more: string[]) => run(...more).catch((error: { code: number; stderr: string }) => error);
    expect(await fails("--model", join(folder, "none.txt"))).to.include({ code: 1 });
    const wrong = await fails("--model", join(folder, "model_tiny.txt"), "--seconds", "soon");
    expect(wrong.stderr).to.contain('INPUT_INVALID: The request is not valid: --seconds is "soon"');
  });
});
