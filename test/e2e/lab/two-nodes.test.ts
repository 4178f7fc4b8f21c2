import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { processesOfLab } from "../../../lab/cgroups.js";
import type { LabNode } from "../../../lab/docker-host.js";
import { type Lab, startLab } from "../../../lab/lab.js";
import { labFolder } from "../../../lab/lab-record.js";
import type { Machine } from "../../../lab/machine.js";
import { waitFor } from "../../support/wait-for.js";
import { importBusybox } from "./busybox.js";

const MEBIBYTE = 1024 ** 2;
const ADDRESS = "10.77.0.130";
const MAC = "02:42:0a:4d:00:82";
const hostMounts = () => readFile("/proc/self/mountinfo", "utf8");
const hostLinks = () => JSON.stringify(networkInterfaces());

async function runAt(node: LabNode, image: string, name: string, command: string[]): Promise<string> {
  const container = await node.docker.createContainer({
    name,
    Image: image,
    Cmd: command,
    HostConfig: { NetworkMode: "fleet" },
    NetworkingConfig: { EndpointsConfig: { fleet: { IPAMConfig: { IPv4Address: ADDRESS }, MacAddress: MAC } as object } },
  });
  await container.start();
  return container.id;
}

const answersPing = async (from: Machine, address: string) =>
  (await from.exec(["ping", "-c", "1", "-W", "1", address], { reject: false })).exitCode === 0;

describe("a lab of two nodes", function () {
  this.timeout(600_000);
  let lab: Lab;
  let first: LabNode;
  let second: LabNode;
  let host: { mounts: string; links: string };

  before(async () => {
    host = { mounts: await hostMounts(), links: hostLinks() };
    const size = { cpuCores: 0.75, memoryBytes: 1536 * MEBIBYTE };
    lab = await startLab({ name: "test-two", nodes: ["one", "two"].map((name) => ({ name, ...size })) });
    first = lab.node("one");
    second = lab.node("two");
  });

  after(async () => {
    expect(await lab?.close()).to.deep.equal([]);
  });

  it("has a Docker of its own on each node, new enough, with a CRIU that says it works", async () => {
    for (const node of lab.nodes) {
      const version = await node.docker.version();
      expect(Number(version.Version.split(".")[0])).to.be.at.least(28);
      const { stdout } = await node.exec(["criu", "--version"]);
      expect(Number.parseFloat(/Version: (\d+\.\d+)/.exec(stdout)?.[1] ?? "0")).to.be.at.least(4.2);
      await node.exec(["criu", "check"]);
    }
    const [one, two] = await Promise.all(lab.nodes.map((node) => node.docker.info()));
    expect(one.ID).to.not.equal(two.ID);
  });

  it("shows nothing of itself among the host's mounts and links", async () => {
    expect(await hostMounts()).to.equal(host.mounts);
    expect(hostLinks()).to.equal(host.links);
  });

  it("confines each node to its size", async () => {
    const { stdout } = await first.exec([
      "sh",
      "-c",
      "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true",
    ]);
    expect(stdout.split(/\s+/)).to.include(String(1536 * MEBIBYTE));
    expect(stdout.split(/\s+/)).to.include("15000");
  });

  it("gives a process nothing of the host's descriptors or environment", async () => {
    process.env.EVENKEEL_LEAKED = "yes";
    const { stdout: variables } = await first.exec(["env"]);
    const { stdout: descriptors } = await first.exec(["ls", "-l", "/proc/self/fd"]);
    delete process.env.EVENKEEL_LEAKED;
    expect(variables).to.not.include("EVENKEEL_LEAKED");
    // ls has the folder open that it lists.
    const open = [...descriptors.matchAll(/ (\d+) -> (?!\/proc\/)/g)].map((match) => match[1]);
    expect(open).to.deep.equal(["0", "1", "2"]);
  });

  describe("with a workload on the first", () => {
    let id: string;

    before(async () => {
      const [image] = await Promise.all(lab.nodes.map((node) => importBusybox(node.docker, lab.rootDirectory)));
      id = await runAt(first, image ?? "", "echo", ["/bin/busybox", "nc", "-ll", "-p", "7", "-e", "/bin/busybox", "cat"]);
    });

    it("answers at its own address to the clients and to the other node", async () => {
      await waitFor("an answer to the clients", () => answersPing(lab.clients, ADDRESS));
      await waitFor("an answer to the other node", () => answersPing(second, ADDRESS));
    });

    it("can be frozen by CRIU and let go while a client's TCP connection stays open", async () => {
      const client = await lab.clients.spawn(
        ["sh", "-c", `(echo before; until [ -e /shared/go ]; do sleep 0.05; done; echo after; sleep 5) | socat - TCP:${ADDRESS}:7`],
        { name: "asker" },
      );
      const answers = () => readFile(client.logFile, "utf8");
      await waitFor("the first answer", async () => (await answers()).includes("before"), { deadlineSeconds: 10 });
      const { stdout: stateRoot } = await first.exec(["sh", "-c", "echo /var/run/docker/runtime-runc/moby*"]);
      const images = "/var/lib/evenkeel/test-images";
      await first.exec(["mkdir", "-p", images]);
      const flags = ["--leave-running", "--tcp-established", "--ext-unix-sk", "--file-locks", "--empty-ns", "network"];
      await first.exec(["runc", "--root", stateRoot, "checkpoint", ...flags, "--image-path", images, "--work-path", images, id]);
      const { stdout: names } = await first.exec(["ls", images]);
      expect(names).to.match(/tcp-stream-\w+\.img/);
      await lab.clients.exec(["touch", "/shared/go"]);
      await waitFor("the second answer", async () => (await answers()).includes("after"), { deadlineSeconds: 10 });
    });

    it("loses sight of a node whose link is cut, and finds it again", async () => {
      await first.cut();
      expect(await answersPing(lab.clients, ADDRESS)).to.equal(false);
      await first.heal();
      await waitFor("the workload to answer again", () => answersPing(lab.clients, ADDRESS), { deadlineSeconds: 20 });
    });

    it("gets Docker back after it was killed", async () => {
      await first.restartDocker("SIGKILL");
      expect((await first.docker.listImages()).flatMap((image) => image.RepoTags)).to.include("busybox:lab");
    });

    it("comes back from a power cut with its disk", async () => {
      await second.exec(["touch", "/var/lib/kept", "/run/lost"]);
      await second.stop();
      expect(await answersPing(lab.clients, second.address)).to.equal(false);
      await second.start();
      await second.waitForDocker();
      const { stdout } = await second.exec(["sh", "-c", "ls /var/lib/kept /run/lost 2>/dev/null || true"]);
      expect(stdout).to.equal("/var/lib/kept");
      expect((await second.docker.listImages()).flatMap((image) => image.RepoTags)).to.include("busybox:lab");
      expect((await second.docker.listNetworks()).map((network) => network.Name)).to.include("fleet");
    });
  });

  it("starts a process by name, kills it, and starts it again", async () => {
    const service = await first.spawn(["sleep", "infinity"], { name: "sleeper" });
    await waitFor("the command to run", async () => (await readFile(`/proc/${service.pid}/comm`, "utf8")) === "sleep\n", {
      deadlineSeconds: 10,
    });
    const again = await service.restart();
    expect(await service.ended).to.equal(137);
    expect(first.service("sleeper")?.pid).to.equal(again.pid).and.not.equal(service.pid);
    await again.kill();
    expect(first.service("sleeper")).to.equal(undefined);
  });

  it("lets the host reach a TCP port of a machine through a unix socket and through loopback", async () => {
    await lab.control.spawn(["redis-server", "--port", "6379", "--save", ""], { name: "redis" });
    const socket = await lab.relay(lab.control, 6379);
    expect(socket).to.equal(join(lab.sharedDirectory, "relay", "control-6379.sock"));
    const publication = await lab.publish(socket);
    for (const redis of [new Redis({ path: socket }), new Redis({ port: publication.port, host: "127.0.0.1" })]) {
      expect(await redis.ping()).to.equal("PONG");
      redis.disconnect();
    }
  });

  it("refuses a second lab of the same name", async () => {
    const refusal = await startLab({ name: "test-two", nodes: [] }).catch((error: unknown) => error);
    expect(String(refusal)).to.include("a lab named test-two is running");
  });
});

describe("a lab that cannot start", function () {
  this.timeout(600_000);

  it("says why, and leaves nothing", async () => {
    const nodes = [{ name: "one", cpuCores: 0.5, memoryBytes: 1024 * MEBIBYTE }];
    const refusal = await startLab({ name: "test-broken", nodes, rootDirectory: "/nowhere" }).catch((error: unknown) => error);
    expect(String(refusal)).to.match(/did not start[\s\S]*mount/);
    expect(existsSync(labFolder("test-broken"))).to.equal(false);
    expect(processesOfLab("test-broken")).to.deep.equal([]);
  });

  it("refuses names that would not fit into the paths of its sockets", async () => {
    for (const name of ["", "../x", "Upper", "a".repeat(21)]) {
      const refusal = await startLab({ name, nodes: [] }).catch((error: unknown) => error);
      expect(String(refusal)).to.include("cannot be a name in the lab");
    }
  });
});
