import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Lab } from "../../../lab/lab.js";
import { SUITE } from "../../../lab/root-recipe.js";
import { unpackPackages } from "../../../lab/unpack-packages.js";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { settledOn } from "../../e2e/support/traces.js";

const obstacle = whyNoGuests();
const PACKAGE = "apparmor";
const OWN_CGROUP = "0::/\nmemory.max\ncgroup.type";
/** Small: emulated nodes are slow. */
const SERVER: LabWorkload = { ...WORKLOADS.find(({ name }) => name === "pair")!, openStdin: true };

/** The nodes as Debian and Ubuntu set them up: their kernel has AppArmor on already, Docker uses it once its parser and policies are there. */
async function installAppArmor(lab: Lab): Promise<void> {
  const folder = await unpackPackages(PACKAGE, SUITE, [PACKAGE]);
  await cp(folder, join(lab.sharedDirectory, PACKAGE), { recursive: true, verbatimSymlinks: true });
  const script = `set -e
    mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
    cd /shared/${PACKAGE}
    cp "$(find . -name apparmor_parser)" /usr/sbin/
    cp -r etc/. /etc/
    cp -r usr/share/apparmor-features /usr/share/`;
  await Promise.all(
    lab.nodes.map(async (node) => {
      await node.exec(["sh", "-c", script]);
      await node.restartDocker();
    }),
  );
}

describe(`Workloads that AppArmor and a cgroup namespace confine, on virtual nodes${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  let moving: MovingFleet;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-apparmor", [SERVER], { kind: "vm", before: ({ lab }) => installAppArmor(lab) });
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  /** What confines the workload's first process, in the kernel's words. */
  async function confinementOn(name: string): Promise<string> {
    const node = moving.fleet.lab.node(name);
    const { State } = await node.docker.getContainer(SERVER.name).inspect();
    return (await node.exec(["cat", `/proc/${State.Pid}/attr/current`])).stdout.trim();
  }

  /** What it sees of control groups: where it is, whether its limits are there, and whether anything of the host is. */
  async function cgroupsOn(name: string): Promise<string> {
    const ask =
      "cat /proc/1/cgroup; cd /sys/fs/cgroup; for file in memory.max cgroup.type system.slice; do [ -e $file ] && echo $file; done; true";
    return (await moving.fleet.lab.node(name).exec(["docker", "exec", SERVER.name, "sh", "-c", ask])).stdout.trim();
  }

  /** What its standard input is. */
  async function inputOn(name: string): Promise<string> {
    const node = moving.fleet.lab.node(name);
    const { State } = await node.docker.getContainer(SERVER.name).inspect();
    return (await node.exec(["readlink", `/proc/${State.Pid}/fd/0`])).stdout.trim().replace(/\d+/, "");
  }

  it("begin under Docker's own profile, in a cgroup namespace of their own", async () => {
    const { SecurityOptions } = (await moving.fleet.lab.node(FIRST).docker.info()) as { SecurityOptions: string[] };
    expect(SecurityOptions.join(" ")).to.include("name=apparmor");
    expect(await confinementOn(FIRST)).to.equal("docker-default (enforce)");
    expect(await cgroupsOn(FIRST)).to.equal(OWN_CGROUP);
    expect(await inputOn(FIRST)).to.equal("pipe:[]");
  });

  it("keep connection and memory, and are confined at the destination as they were", async () => {
    const record = await moving.moveWell(SERVER.name, FIRST, SECOND, "precopy");
    expect(record.modeUsed).to.equal("precopy");
    expect(await confinementOn(SECOND)).to.equal("docker-default (enforce)");
    expect(await cgroupsOn(SECOND)).to.equal(OWN_CGROUP);
    // As Docker on SECOND has made it: what it is told now is heard.
    expect(await inputOn(SECOND)).to.equal("pipe:[]");
    expect(await moving.answersOn(SERVER.name)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
    await settledOn(moving.fleet, SERVER.name, SECOND);
  });
});
