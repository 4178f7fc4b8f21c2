import { expect } from "chai";
import { installationWithoutDocker, readSchedulerUnit } from "../../support/scheduler-unit.js";

describe("The scheduler's systemd unit", () => {
  const unit = readSchedulerUnit();
  const group = unit.get("SupplementaryGroups")!;
  const file = /EVENKEEL_CONFIG=(\S+)/.exec(unit.get("Environment")!)![1]!;

  it("lets the scheduler follow the file that docs/installation.md tells to write, and no copy of it", () => {
    expect([...unit.keys()].filter((name) => name.startsWith("LoadCredential"))).to.deep.equal([]);
    expect(installationWithoutDocker()).to.contain(`cat >${file} )`);
  });

  it("reads it as a member of the group that is made there, whose folder nobody else may enter", () => {
    const folder = file.slice(0, file.lastIndexOf("/"));
    expect(installationWithoutDocker()).to.contain(`groupadd --system --force ${group}\n`);
    expect(installationWithoutDocker()).to.contain(`install -d -m 2750 -g ${group} ${folder}\n`);
    expect(installationWithoutDocker()).to.contain("( umask 027; cat ");
  });

  it("gives the scheduler no other rights", () => {
    const rights = ["DynamicUser", "CapabilityBoundingSet", "NoNewPrivileges", "Group", "User"].map((name) => [name, unit.get(name)]);
    expect(rights).to.deep.equal([
      ["DynamicUser", "yes"],
      ["CapabilityBoundingSet", ""],
      ["NoNewPrivileges", "yes"],
      ["Group", undefined],
      ["User", undefined],
    ]);
  });

  it("is reloaded by the signal on which the scheduler reads its file", () => {
    expect(unit.get("ExecReload")).to.equal("/bin/kill -HUP $MAINPID");
    // A shell in between would get the signal.
    expect(unit.get("ExecStart")).to.equal("/usr/bin/node /opt/evenkeel/dist/scheduler/main.js");
  });
});
