import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { config, NOW, node, snapshot, workload } from "./small-fleet.js";

const kept = (id: string) => node(id, 0.1, 0.3, { labels: { "io.evenkeel.prefer-empty": "true" } });
const asked = config({ example: { enabled: true } });

describe("the example policy", () => {
  it("empties labelled nodes when others have room", () => {
    const state = snapshot([kept("n1"), kept("n2"), node("n3", 0.2)], [workload("a", "n1", 0.5), workload("b", "n2", 0.5)]);
    expect(decide(state, asked, NOW).moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["a>n3", "b>n3"]);
  });
  it("keeps other policies from filling them again", () => {
    const state = snapshot([kept("n1"), node("n2", 0.9)], [workload("a", "n2", 3)]);
    expect(decide(state, asked, NOW).skips.map((skip) => skip.reason)).to.deep.equal(["target-avoided"]);
    expect(decide(state, config(), NOW).moves).to.have.length(1);
  });
  it("is off unless it is asked for", () => {
    expect(decide(snapshot([kept("n1"), node("n2", 0.2)], [workload("a", "n1", 0.5)]), config(), NOW).moves).to.deep.equal([]);
  });
});
