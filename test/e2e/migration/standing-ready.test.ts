import { expect } from "chai";
import type { LabNode } from "../../../lab/docker-host.js";
import { type Lab, startLab } from "../../../lab/lab.js";

/** Takes the steps in the network of process `pid` by one session, and prints a line after each: what stands there, and whether its kernel hears itself. */
const STEPS = `
import { execFileSync, spawnSync } from "node:child_process";
import { openNetworkRules } from "/opt/evenkeel/dist/executor/engine/docker/network-rules.js";
const [pid, ...steps] = process.argv.slice(1);
const inside = (...words) => spawnSync("nsenter", ["-t", pid, "-n", ...words], { encoding: "utf8" });
const rules = openNetworkRules(Number(pid));
for (const step of steps) {
  if (step === "end") execFileSync("pkill", ["-KILL", "-P", String(process.pid)]);
  const by = step === "end" ? "" : await rules.load(step).catch(() => "nobody");
  const tables = inside("nft", "list", "tables").stdout.trim().split("\\n").join(" ");
  console.log(step + " by " + by + ": " + tables + "; " + (inside("ping", "-c", "1", "-W", "1", "127.0.0.1").status === 0 ? "heard" : "silent"));
}
rules.close();
`;

/** Holds a frame that comes in by an uplink, and lets it go by who stands ready alone; prints how many frames have left the hold by then, each time. */
const HOLD = `
import { spawnSync, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { armHold, dropHold, findHoldMeans, makeOpener } from "/opt/evenkeel/dist/executor/engine/docker/packet-hold.js";
const [folder, id, macAddress] = ["/run/test-hold", "0123456789abcdef", "02:00:00:00:00:09"];
mkdirSync(folder, { recursive: true });
execFileSync("sh", ["-c", "ip link add up0 type veth peer name far0 && ip link set up0 up && ip link set far0 up"]);
const { means } = await findHoldMeans(true);
await armHold(folder, id, means, [{ device: "up0", macAddress, ipv4Address: "10.9.0.9" }]);
const opener = makeOpener(id, means);
const left = () => Number(readFileSync("/sys/class/net/ek0123456789ab/statistics/tx_packets", "utf8"));
const before = left();
const frame = Buffer.concat([Buffer.from(macAddress.replaceAll(":", ""), "hex"), Buffer.from("0200000000080800", "hex"), Buffer.alloc(60)]);
spawnSync("socat", ["-u", "-", "INTERFACE:far0"], { input: frame });
await delay(500);
console.log("held: " + (left() - before));
opener.open();
for (let look = 0; look < 100 && left() === before; look++) await delay(50);
console.log("let go: " + (left() - before));
opener.close();
await dropHold(folder);
execFileSync("ip", ["link", "del", "up0"]);
`;

const SILENT = "table inet evenkeel table arp evenkeel; silent";

describe("What stands ready ahead of a freeze", function () {
  this.timeout(300_000);
  let lab: Lab;
  let node: LabNode;
  let pid: string;

  before(async () => {
    lab = await startLab({ name: "test-rules", nodes: [{ name: "one", cpuCores: 1, memoryBytes: 1536 * 2 ** 20 }] });
    node = lab.node("one");
  });
  after(async () => {
    expect(await lab?.close()).to.deep.equal([]);
  });

  beforeEach(async () => {
    const program = "ip link set lo up; sleep 600 >/dev/null 2>&1 & echo $!";
    pid = (await node.exec(["unshare", "--net", "sh", "-c", program])).stdout.trim();
  });
  afterEach(() => node.exec(["kill", pid]));

  async function take(...steps: string[]): Promise<string[]> {
    return (await node.exec(["node", "--input-type=module", "-e", STEPS, pid, ...steps])).stdout.trim().split("\n");
  }

  it("silences a network, shuts it and lets it speak, as often as it is asked to", async () => {
    expect(await take("still", "shut", "still", "speak", "speak", "shut", "speak")).to.deep.equal([
      `still by who waited: ${SILENT}`,
      `shut by who waited: ${SILENT}`,
      `still by who waited: ${SILENT}`,
      "speak by who waited: ; heard",
      "speak by who waited: ; heard",
      "shut by who waited: table inet evenkeel; silent",
      "speak by who waited: ; heard",
    ]);
  });

  it("is made up for when it has ended", async () => {
    expect(await take("still", "end", "shut", "speak")).to.deep.equal([
      `still by who waited: ${SILENT}`,
      `end by : ${SILENT}`,
      `shut by another: ${SILENT}`,
      "speak by another: ; heard",
    ]);
  });

  it("tells of rules that the kernel refuses", async () => {
    // A name that a table of another's chain has taken: it cannot be both.
    await node.exec([
      "nsenter",
      "-t",
      pid,
      "-n",
      "nft",
      "add table inet evenkeel; add chain inet evenkeel out { type nat hook output priority 0; }",
    ]);
    expect((await take("still"))[0]).to.match(/^still by nobody: /);
  });

  it("lets held packets go", async () => {
    const { stdout } = await node.exec(["node", "--input-type=module", "-e", HOLD]);
    expect(stdout.trim().split("\n")).to.deep.equal(["held: 0", "let go: 1"]);
  });
});
