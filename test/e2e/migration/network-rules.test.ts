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
  else await rules.load(step).catch((error) => console.log(step + ": refused"));
  const tables = inside("nft", "list", "tables").stdout.trim().split("\\n").join(" ");
  console.log(step + ": " + tables + "; " + (inside("ping", "-c", "1", "-W", "1", "127.0.0.1").status === 0 ? "heard" : "silent"));
}
rules.close();
`;

const SILENT = "table inet evenkeel table arp evenkeel; silent";

describe("The rules of a workload's network", function () {
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

  it("silence it, shut it and let it speak, as often as they are asked to", async () => {
    expect(await take("still", "shut", "still", "speak", "speak", "shut", "speak")).to.deep.equal([
      `still: ${SILENT}`,
      `shut: ${SILENT}`,
      `still: ${SILENT}`,
      "speak: ; heard",
      "speak: ; heard",
      "shut: table inet evenkeel; silent",
      "speak: ; heard",
    ]);
  });

  it("are taken there by a program of its own once the one that waited has ended", async () => {
    expect(await take("still", "end", "shut", "speak")).to.deep.equal([
      `still: ${SILENT}`,
      `end: ${SILENT}`,
      `shut: ${SILENT}`,
      "speak: ; heard",
    ]);
  });

  it("that the kernel refuses are told of", async () => {
    // A name that a table of another's chain has taken: it cannot be both.
    await node.exec([
      "nsenter",
      "-t",
      pid,
      "-n",
      "nft",
      "add table inet evenkeel; add chain inet evenkeel out { type nat hook output priority 0; }",
    ]);
    expect((await take("still"))[0]).to.equal("still: refused");
  });
});
