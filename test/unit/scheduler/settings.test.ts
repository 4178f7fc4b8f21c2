import { expect } from "chai";
import { configSchema } from "../../../platform/config.js";
import { makeLog } from "../../../platform/log.js";
import { followSettings } from "../../../scheduler/reload.js";

const follow = (power: object | undefined) =>
  followSettings({
    path: null,
    initial: configSchema.parse({ scheduler: { power }, policies: { consolidate: { enabled: true } } }),
    log: makeLog("scheduler"),
    onReload: () => {},
  });

describe("Settings that belong together", () => {
  it("are refused when nodes would be emptied and could not be put to sleep", () => {
    expect(() => follow(undefined)).to.throw(/consolidate\.enabled: needs `scheduler\.power`/);
    const hook = { command: ["true"] };
    expect(follow({ sleep: hook, wake: hook }).current().consolidate!.enabled).to.equal(true);
  });
});
