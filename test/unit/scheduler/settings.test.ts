import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { configSchema } from "../../../platform/config.js";
import { loadConfig } from "../../../platform/load-config.js";
import { makeLog } from "../../../platform/log.js";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { followSettings } from "../../../scheduler/reload.js";

const follow = (power: object | undefined, policies: object = { consolidate: { enabled: true } }) =>
  followSettings({
    path: null,
    initial: configSchema.parse({ scheduler: { power }, policies }),
    log: makeLog("scheduler"),
    onReload: () => {},
  });

describe("Settings at the start", () => {
  const folder = mkdtempSync(join(tmpdir(), "evenkeel-settings-"));
  const path = join(folder, "config.json");
  const followFile = (settings: object) => {
    writeFileSync(path, JSON.stringify(settings, null, 2));
    return followSettings({ path, initial: loadConfig(path), log: makeLog("scheduler"), onReload: () => {} });
  };
  after(() => rmSync(folder, { recursive: true }));

  it("are refused with the line of each that is wrong, as they are later", () => {
    expect(() => followFile({ policies: { overload: { cpuDetectRatio: 8 }, cooldownSeconds: -1 } }))
      .to.throw(`${path}:\nline 4, policies.overload.cpuDetectRatio: `)
      .with.property("message")
      .that.contains("line 6, policies.cooldownSeconds: ");
    const windows = [{ cron: "whenever", durationMinutes: 5, action: "no-moves" }];
    expect(() => followFile({ scheduler: { windows } })).to.throw(`${path}:\nline 4, scheduler.windows.0: "whenever" is not a cron`);
    expect(() => followFile({ policies: { consolidate: { enabled: true } } })).to.throw("line 4, policies.consolidate.enabled: needs");
  });

  it("are refused when a node's readings could never fill a time that is waited for, at the start and later", () => {
    const balance = { enabled: true, windowSeconds: 7200 };
    expect(() => followFile({ policies: { overload: { holdSeconds: 3600 }, balance } }))
      .to.throw("line 4, policies.overload.holdSeconds: must be at most 3550: the policies look back on 720 readings of a node")
      .with.property("message")
      .that.contains("line 8, policies.balance.windowSeconds: must be at most 3600: ");
    const settings = followFile({ policies: { overload: { holdSeconds: 3550 }, balance: { ...balance, windowSeconds: 3600 } } });
    writeFileSync(path, JSON.stringify({ policies: { balance } }));
    settings.reload();
    expect(settings.state().refused).to.contain("line 1, policies.balance.windowSeconds: must be at most 3600: ");
    expect(settings.current().balance!.windowSeconds).to.equal(3600);
    settings.close();
  });

  it("may say what no reading fills where nothing waits for it, and more where readings are further apart", () => {
    followFile({ policies: { overload: { enabled: false, holdSeconds: 3600 }, balance: { windowSeconds: 7200 } } }).close();
    const collector = { intervalSeconds: 60, sampleTtlSeconds: 120 };
    followFile({ collector, policies: { overload: { holdSeconds: 3600 }, balance: { enabled: true, windowSeconds: 7200 } } }).close();
    const few = { ...collector, historyLength: 20 };
    expect(() => followFile({ collector: few, policies: { overload: { holdSeconds: 3600 } } })).to.throw("must be at most 600: ");
  });

  it("are those of the file, and what it does not hold keeps its default", () => {
    const settings = followFile({ scheduler: { mode: "approve" }, policies: { cooldownSeconds: 7 } });
    expect([settings.mode(), settings.current().cooldownSeconds, settings.current().headroom]).to.deep.equal([
      "approve",
      7,
      DEFAULT_POLICY_CONFIG.headroom,
    ]);
    settings.close();
  });
});

describe("Settings that belong together", () => {
  it("are refused when nodes would be emptied and could not be put to sleep", () => {
    expect(() => follow(undefined)).to.throw(/consolidate\.enabled: needs `scheduler\.power`/);
    const hook = { command: ["true"] };
    expect(follow({ sleep: hook, wake: hook }).current().consolidate!.enabled).to.equal(true);
  });

  it("are refused when a node's readings could never fill a time that is waited for", () => {
    expect(() => follow(undefined, { overload: { holdSeconds: 3600 } })).to.throw("policies.overload.holdSeconds: must be at most 3550");
  });
});
