import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { processesOfLab } from "../../../lab/cgroups.js";
import { startLab } from "../../../lab/lab.js";
import { labFolder, readRecord } from "../../../lab/lab-record.js";
import { listLeftovers } from "../../../lab/leftovers.js";
import { isAlive } from "../../../lab/process-identity.js";
import { labsHoldingSysctls } from "../../../lab/sysctls.js";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

const NAME = "test-crash";
const NODE_SIZE = { cpuCores: 0.5, memoryBytes: 1024 ** 3 };
const leftOf = async () => (await listLeftovers()).filter((line) => line.includes(NAME) || !line.includes("lab "));
const sysctl = (name: string) => readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
const WATCHED = ["fs.nr_open", "fs.pipe-max-size", "fs.pipe-user-pages-soft", "vm.unprivileged_userfaultfd", "kernel.keys.root_maxkeys"];

function startOrchestrator(): ChildProcess {
  return spawn(process.execPath, [projectPath("dist/lab/main.js"), "up", "--name", NAME, "--nodes", "2"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function isUp(): Promise<boolean> {
  return (await readRecord(NAME))?.machines !== undefined;
}

async function killed(orchestrator: ChildProcess): Promise<void> {
  orchestrator.kill("SIGKILL");
  if (orchestrator.exitCode === null && orchestrator.signalCode === null) await once(orchestrator, "exit");
}

async function nothingIsLeft(): Promise<void> {
  await waitFor("the guardian to finish", async () => !existsSync(labFolder(NAME)) && (await leftOf()).length === 0, {
    deadlineSeconds: 30,
  });
  expect(processesOfLab(NAME)).to.deep.equal([]);
  expect(await labsHoldingSysctls()).to.not.include(labFolder(NAME));
}

describe("a lab whose orchestrator is killed", function () {
  this.timeout(600_000);
  let orchestrator: ChildProcess;

  afterEach(async () => {
    if (orchestrator) await killed(orchestrator);
    await nothingIsLeft();
  });

  const moments: Record<string, () => boolean | Promise<boolean>> = {
    "before anything is there but its record": () => existsSync(join(labFolder(NAME), "lab.json")),
    "when the bridge has just been made": () => existsSync(join(labFolder(NAME), "fabric/log/pid")),
    "when a node's process is being furnished": () => processesOfLab(NAME).length > 3,
    "when a node's Docker is starting": () => existsSync(join(labFolder(NAME), "shared/node1/docker.sock")),
    "when all is up": isUp,
  };
  for (const [moment, hasCome] of Object.entries(moments)) {
    it(`leaves nothing when that happens ${moment}`, async () => {
      orchestrator = startOrchestrator();
      await waitFor(moment, hasCome, { deadlineSeconds: 60 });
      await killed(orchestrator);
      await nothingIsLeft();
    });
  }

  it("puts the kernel's settings back", async () => {
    const before = WATCHED.map(sysctl);
    const othersHold = (await labsHoldingSysctls()).length > 0;
    orchestrator = startOrchestrator();
    await waitFor("the lab to be up", isUp, { deadlineSeconds: 60 });
    expect(await labsHoldingSysctls()).to.include(labFolder(NAME));
    await killed(orchestrator);
    await nothingIsLeft();
    // Another lab on this machine may still need them, or have let go meanwhile.
    if (!othersHold && (await labsHoldingSysctls()).length === 0) expect(WATCHED.map(sysctl)).to.deep.equal(before);
  });

  it("is told of, and cleared away by the next start, when its guardian was killed too", async () => {
    orchestrator = startOrchestrator();
    await waitFor("the lab to be up", isUp, { deadlineSeconds: 60 });
    const guardian = (await readRecord(NAME))?.guardian;
    process.kill(guardian?.pid ?? 0, "SIGKILL");
    await waitFor("the guardian to die", () => guardian !== undefined && !isAlive(guardian), { deadlineSeconds: 10 });
    await killed(orchestrator);
    expect((await leftOf()).join("\n")).to.include(`of lab ${NAME}`);
    const lab = await startLab({ name: NAME, nodes: [{ name: "node1", ...NODE_SIZE }] });
    expect(String(await lab.node("node1").docker.ping())).to.equal("OK");
    await lab.close();
  });

  it("takes nothing from another lab that runs beside it", async () => {
    const other = await startLab({ name: "test-beside", nodes: [{ name: "node1", ...NODE_SIZE }] });
    try {
      const changed = WATCHED.map(sysctl);
      orchestrator = startOrchestrator();
      await waitFor("the lab to be up", isUp, { deadlineSeconds: 60 });
      await killed(orchestrator);
      await nothingIsLeft();
      expect(WATCHED.map(sysctl)).to.deep.equal(changed);
      expect((await other.node("node1").exec(["docker", "info", "--format", "{{.ID}}"])).stdout).to.not.equal("");
    } finally {
      await other.close();
    }
  });

  it("goes down in good order on Ctrl-C", async () => {
    orchestrator = startOrchestrator();
    await waitFor("the lab to be up", isUp, { deadlineSeconds: 60 });
    orchestrator.kill("SIGINT");
    const [code] = await once(orchestrator, "exit");
    expect(code).to.equal(0);
  });
});
