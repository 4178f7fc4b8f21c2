import { readFileSync } from "node:fs";
import { expect } from "chai";
import { makeKeys } from "../../../platform/keys.js";
import { projectPath } from "../../../platform/paths.js";

describe("docs/architecture.md", () => {
  const page = readFileSync(projectPath("docs/architecture.md"), "utf8");
  const section = page.slice(page.indexOf("## What Redis holds"), page.indexOf("## Who may write"));
  const rows = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key!);

  it("has a row for each key in Redis, and none that does not exist", () => {
    const { prefix, queuePrefix, migrateQueue, ...keys } = makeKeys("p");
    const named = Object.values(keys).map((key) => (typeof key === "function" ? key("<id>") : key).slice(`${prefix}:`.length));
    const queue = `${queuePrefix.slice(`${prefix}:`.length)}:${migrateQueue("<node>")}:…`;
    expect(rows).to.have.members([...named, queue]);
  });
});
