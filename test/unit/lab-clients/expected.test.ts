import { expect } from "chai";
import { expectedPages, generationOf } from "../../../lab/clients/expected-page.js";
import { generatorState } from "../../../lab/clients/generator-state.js";

describe("What the lab's clients expect", () => {
  it("is the burner's state after any number of steps, as if each had been made", () => {
    let state = 0n;
    for (let steps = 0n; steps < 300n; steps++) {
      expect(generatorState(steps)).to.equal(state);
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    }
  });

  it("is a page's generation after any number of rewritten pages, as if each had been counted", () => {
    const pages = 7;
    const generations = Array.from({ length: pages }, () => 0);
    for (let rewritten = 0; rewritten < 40; rewritten++) {
      expect(generations.map((_, page) => generationOf(page, pages, rewritten))).to.deep.equal(generations);
      generations[rewritten % pages]! += 1;
    }
  });

  it("differs from page to page and from generation to generation", () => {
    const contents = [expectedPages(0, 1, 4, 0), expectedPages(1, 1, 4, 0), expectedPages(0, 1, 4, 4), expectedPages(0, 1, 4, 8)];
    expect(new Set(contents.map((page) => page.subarray(16).toString("hex"))).size).to.equal(4);
  });
});
