import { expect } from "chai";
import { HOLDER_IMAGE } from "../../../bench/blackout/holder.js";
import { type Lab, startLab } from "../../../lab/lab.js";
import { whyNoGuests } from "../../../lab/vm/guest.js";

const obstacle = whyNoGuests();
/** As those of moves: it is copied from the same machine. */
const SIZE = { cpuCores: 2, memoryBytes: 1.5 * 1024 ** 3 };

describe(`A virtual node${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  let lab: Lab;

  before(async function () {
    if (obstacle !== null) return this.skip();
    lab = await startLab({ name: "vm-node", kind: "vm", nodes: [{ name: "node1", ...SIZE }] });
  });

  after(async () => {
    expect((await lab?.close()) ?? []).to.deep.equal([]);
  });

  const run = async (...command: string[]) => (await lab.node("node1").exec(command)).stdout.trim();

  it("has a kernel of its own that tracks written pages", async () => {
    expect(await run("hostname")).to.equal("node1");
    expect(await run("uname", "-r")).to.not.equal((await lab.control.exec(["uname", "-r"])).stdout.trim());
    expect(await run("criu", "check", "--feature", "mem_dirty_track")).to.contain("is supported");
  });

  it("is a plain host: cgroups of version 2 alone, a Docker that maps no users", async () => {
    const info = (await lab.node("node1").docker.info()) as { CgroupVersion: string; SecurityOptions: string[] | null };
    expect(info.CgroupVersion).to.equal("2");
    expect((info.SecurityOptions ?? []).filter((option) => option.includes("userns"))).to.deep.equal([]);
  });

  it("takes words with blanks and quotes, input, and tells how a command ended", async () => {
    const node = lab.node("node1");
    expect(await run("printf", "%s|", "a b", "it's", "$HOME", "")).to.equal("a b|it's|$HOME||");
    expect((await node.exec(["cat"], { input: "one\ntwo" })).stdout).to.equal("one\ntwo");
    expect((await node.exec(["sh", "-c", "exit 7"], { reject: false })).exitCode).to.equal(7);
    expect((await node.exec(["env"], { env: { COLOUR: "blue" } })).stdout).to.contain("COLOUR=blue");
  });

  it("starts a service, knows it, and kills it", async () => {
    const node = lab.node("node1");
    const service = await node.spawn(["sleep", "1000"], { name: "sleeper" });
    expect(node.service("sleeper")).to.equal(service);
    await service.kill("SIGKILL");
    expect(node.service("sleeper")).to.equal(undefined);
    expect((await node.exec(["pgrep", "-x", "sleep", "-a"], { reject: false })).stdout).to.not.contain("1000");
  });

  it("is out of reach while its link is cut, and obeys all the same", async () => {
    const node = lab.node("node1");
    const ping = async () => (await lab.clients.exec(["ping", "-c", "1", "-W", "5", node.address], { reject: false })).exitCode;
    expect(await ping()).to.equal(0);
    await node.cut();
    expect(await ping()).to.not.equal(0);
    expect(await run("echo", "here")).to.equal("here");
    await node.heal();
    expect(await ping()).to.equal(0);
  });

  it("loses its memory in a power cut, keeps what was on its disk, and comes up as itself", async () => {
    const node = lab.node("node1");
    await run("sh", "-c", "echo kept >/root/kept; sync; echo lost >/run/lost");
    const { id } = await node.docker.createContainer({ Image: HOLDER_IMAGE, Cmd: ["python3", "-S", "-c", "import time; time.sleep(1e6)"] });
    await node.docker.getContainer(id).start();
    await run("sync");
    await node.stop();
    expect((await node.exec(["true"], { reject: false })).exitCode).to.not.equal(0);
    await node.start();
    await node.waitForDocker();
    expect(await run("sh", "-c", "cat /root/kept /run/lost 2>/dev/null; hostname; cat /proc/sys/kernel/random/boot_id | wc -l")).to.equal(
      "kept\nnode1\n1",
    );
    expect((await node.docker.getContainer(id).inspect()).State.Running).to.equal(false);
    expect((await node.docker.listNetworks()).map(({ Name }) => Name)).to.include("fleet");
  });
});
