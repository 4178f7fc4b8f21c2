import { readFileSync } from "node:fs";
import { expect } from "chai";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { SKIP_REASONS } from "../../../policies/types.js";

const page = readFileSync("docs/policies.md", "utf8");
/** Rows of the tables whose first cell is code: that cell and the second, blanks gone. */
const rows = new Map([...page.matchAll(/^\| `([^`]+)`\s*\| ([^|]*?)\s*\|/gm)].map((match) => [match[1]!, match[2]!]));

function settingsOf(value: object, path = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? settingsOf(inner, `${path}${name}.`)
      : [[path + name, inner] as [string, unknown]],
  );
}

describe("docs/policies.md", () => {
  it("explains every reason code, and none that does not exist", () => {
    const reasons = [...rows.keys()].filter((name) => /^[a-z]+(-[a-z]+)*$/.test(name));
    expect(reasons.sort()).to.deep.equal([...SKIP_REASONS].sort());
  });
  it("gives every setting with its default", () => {
    for (const [name, value] of settingsOf(DEFAULT_POLICY_CONFIG)) {
      const shown = value === null ? "none" : Array.isArray(value) ? value.join(", ") : value === 100_000_000 ? "1e8" : String(value);
      expect(rows.get(name), name).to.equal(shown);
    }
  });
});
