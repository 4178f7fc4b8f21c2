import { readFileSync } from "node:fs";
import { expect } from "chai";
import { SKIP_REASONS } from "../../../policies/types.js";

const page = readFileSync("docs/policies.md", "utf8");
/** First cells of tables that are code. */
const named = [...page.matchAll(/^\| `([^`]+)`\s*\|/gm)].map((match) => match[1]!);

describe("docs/policies.md", () => {
  it("explains every reason code, and none that does not exist", () => {
    const reasons = named.filter((name) => /^[a-z]+(-[a-z]+)*$/.test(name));
    expect(reasons.sort()).to.deep.equal([...SKIP_REASONS].sort());
  });
});
