import { expect } from "chai";
import { type NodeSample, nodeIdentitySchema, nodeSampleSchema } from "../../../collector/protocol.js";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { waitFor } from "../../support/wait-for.js";
import { importBusybox } from "../lab/busybox.js";

const GIBIBYTE = 1024 ** 3;
const BURNER_CORES = 0.3;

describe("The collector on a lab node with a real Docker", function () {
  this.timeout(600_000);
  let fleet: Fleet;
  let image: string;

  const docker = () => fleet.lab.node("node1").docker;
  const run = async (name: string, command: readonly string[], hostConfig: object = {}) => {
    const Cmd = ["/bin/busybox", ...command];
    const container = await docker().createContainer({
      name,
      Image: image,
      Cmd,
      Labels: { "io.evenkeel.workload": name },
      HostConfig: hostConfig,
    });
    await container.start();
    return container;
  };
  const sampleWhere = (what: string, fits: (sample: NodeSample) => boolean) =>
    waitFor(
      what,
      async () => {
        const text = await fleet.redis.get(fleet.keys.nodeSample("node1"));
        const sample = text === null ? null : nodeSampleSchema.parse(JSON.parse(text));
        return sample !== null && fits(sample) ? sample : null;
      },
      { deadlineSeconds: 30 },
    );
  const workload = (sample: NodeSample, name: string) => sample.workloads.find(({ id }) => id === name);

  before(async () => {
    const nodes = [{ name: "node1", cpuCores: 1, memoryBytes: GIBIBYTE }];
    fleet = await startFleet({ name: "e2e-collector", nodes, withScheduler: false, withPrometheus: false });
    image = await importBusybox(docker(), fleet.lab.rootDirectory);
  });
  after(async () => {
    expect(await fleet?.close()).to.deep.equal([]);
  });

  it("gives the node's own size, not the machine's", async () => {
    const sample = await sampleWhere("a sample", () => true);
    expect(sample).to.include({ cpuCapacityCores: 1, memoryCapacityBytes: GIBIBYTE });
    const identity = nodeIdentitySchema.parse(
      JSON.parse(await waitFor("its identity", () => fleet.redis.get(fleet.keys.nodeIdentity("node1")))),
    );
    expect(identity.engine?.version).to.match(/^\d+\.\d+/);
    expect(identity.hostname).to.equal("node1");
  });

  it("tells its networks and each container's, and a new one soon after it was made", async () => {
    const known = async () => {
      const text = await fleet.redis.get(fleet.keys.nodeIdentity("node1"));
      return text === null ? [] : (nodeIdentitySchema.parse(JSON.parse(text)).networks ?? []);
    };
    await waitFor("the networks that Docker has by itself", async () => {
      const networks = await known();
      return ["bridge", "host", "none"].every((name) => networks.includes(name));
    });
    await docker().createNetwork({ Name: "shop", Driver: "bridge" });
    await run("shopper", ["sleep", "1000"], { NetworkMode: "shop" });
    const sample = await sampleWhere("its container", (seen) => workload(seen, "shopper") !== undefined);
    expect(workload(sample, "shopper")?.networks).to.deep.equal(["shop"]);
    await waitFor("the new network", async () => (await known()).includes("shop"), { deadlineSeconds: 30 });
  });

  it("tells what binds a container to its node: a folder that it writes to, and a volume for as long as another, which never ran, has it too", async () => {
    const own = ["/srv:/host", "kept:/kept", "/etc/hostname:/name:ro"];
    await run("bound", ["sleep", "1000"], { Binds: own });
    const codes = (seen: NodeSample) =>
      workload(seen, "bound")
        ?.boundBy?.map(({ code }) => code)
        .join(" ");
    const alone = await sampleWhere("its folder", (seen) => codes(seen) !== undefined);
    expect(workload(alone, "bound")?.boundBy).to.deep.equal([
      { code: "bind-mount", because: "It mounts /srv of this host and may write to it" },
    ]);
    const other = await docker().createContainer({
      name: "reader",
      Image: image,
      Cmd: ["/bin/busybox", "true"],
      HostConfig: { Binds: ["kept:/kept:ro"] },
    });
    const shared = await sampleWhere("the other", (seen) => codes(seen) === "bind-mount volume-shared");
    expect(workload(shared, "bound")?.boundBy?.[1]?.because).to.equal("Volume kept is also used by reader");
    expect(workload(shared, "reader"), "it does not run").to.equal(undefined);
    await other.remove();
    await sampleWhere("the other to be gone", (seen) => codes(seen) === "bind-mount");
    await docker().getContainer("bound").remove({ force: true });
  });

  it("measures a container that burns a known share of a CPU", async () => {
    await run("burner", ["sh", "-c", "while :; do :; done"], { NanoCpus: BURNER_CORES * 1e9, Memory: 64 * 1024 ** 2 });
    const sample = await sampleWhere("its share", (seen) => Math.abs((workload(seen, "burner")?.cpuUsedCores ?? 0) - BURNER_CORES) < 0.05);
    expect(workload(sample, "burner")).to.include({
      state: "running",
      cpuLimitCores: BURNER_CORES,
      memoryLimitBytes: 64 * 1024 ** 2,
      pids: 1,
    });
    expect(sample.cpuUsedCores).to.be.greaterThan(BURNER_CORES / 2);
    expect(sample.failures).to.deep.equal([]);
  });

  it("counts a container's file cache as free, its own memory as used", async () => {
    const size = 32 * 1024 ** 2;
    await run("holder", ["sh", "-c", `/bin/busybox dd if=/dev/zero of=/dev/shm/held bs=${size} count=1; /bin/busybox sleep 1000`]);
    // While it is filled its program has as much again.
    await sampleWhere("its memory", (seen) => {
      const used = workload(seen, "holder")?.memoryUsedBytes ?? 0;
      return used >= size && used <= size * 1.5;
    });
    await run("writer", ["sh", "-c", `/bin/busybox dd if=/dev/zero of=/written bs=${size} count=1; /bin/busybox sleep 1000`]);
    const cached = await sampleWhere("the writer at rest", (seen) => workload(seen, "writer")?.cpuUsedCores === 0);
    expect(workload(cached, "writer")?.memoryUsedBytes).to.be.lessThan(size);
  });

  it("shows a paused container as using no CPU, and goes on when it does", async () => {
    const burner = docker().getContainer("burner");
    await burner.pause();
    await sampleWhere("the pause", (seen) => workload(seen, "burner")?.state === "paused" && workload(seen, "burner")?.cpuUsedCores === 0);
    await burner.unpause();
    await sampleWhere("its share again", (seen) => (workload(seen, "burner")?.cpuUsedCores ?? 0) > BURNER_CORES / 2);
  });

  it("never loses a container that Docker keeps restarting", async () => {
    await run("crasher", ["false"], { RestartPolicy: { Name: "always" } });
    const sample = await sampleWhere("the wait for a restart", (seen) => workload(seen, "crasher")?.state === "restarting");
    expect(workload(sample, "crasher")?.cpuUsedCores).to.equal(null);
  });

  it("forgets a container that was removed", async () => {
    await docker().getContainer("crasher").remove({ force: true });
    await sampleWhere("its absence", (seen) => workload(seen, "crasher") === undefined);
  });

  it("goes on by itself after Docker was killed and has come back", async () => {
    const { sequence } = await sampleWhere("a sample", () => true);
    await fleet.lab.node("node1").restartDocker("SIGKILL");
    const sample = await sampleWhere("a sample with the engine back", (seen) => seen.sequence > sequence + 1);
    expect(sample.failures.join()).not.to.contain("containers:");
  });
});
