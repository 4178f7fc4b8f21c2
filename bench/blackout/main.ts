import { cpus, freemem, loadavg, release, totalmem } from "node:os";
import { type Fleet, startFleet } from "../../lab/fleet/fleet.js";
import { buildRoot } from "../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../lab/root-recipe.js";
import { leave } from "../../platform/leave.js";
import { tell, tellStep } from "../tell.js";
import { buildBenchRoot } from "./bench-root.js";
import { dockerTool } from "./docker.js";
import { type EvenkeelCase, measureEvenkeel } from "./evenkeel.js";
import { type FloorRun, runFloor, summariseFloor } from "./floor.js";
import { readOptions } from "./options.js";
import { measurePeer, type PeerCase, type PeerTool, startPeerLab } from "./peers.js";
import { podmanTool } from "./podman.js";
import { measurementsTable, modesOf, ratiosOf } from "./report.js";

const GIBIBYTE = 2 ** 30;
/** Twice the workload (its memory and its images) on a node, and what Docker and the program itself take. */
const nodeMemoryBytes = (sizeMiB: number) => Math.ceil((sizeMiB / 1024) * 2.2 + 2) * GIBIBYTE;
/** A guest takes what it uses; images of two rounds and the workload have to fit beside Docker and the executor. */
const guestMemoryBytes = (sizeMiB: number) => Math.max(1536, Math.ceil((3.2 * sizeMiB + 700) / 512) * 512) * 2 ** 20;
/** Workload and images on both nodes at once. */
const neededBytes = (sizeMiB: number) => Math.ceil((sizeMiB / 1024) * 4 + 1) * GIBIBYTE;

const options = readOptions();
const loadBefore = loadavg()[0] ?? 0;
const failures: string[] = [];
let interrupted = false;
let closing: () => Promise<unknown> = async () => undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interrupted = true;
    tell("taking everything down");
    void closing().finally(() => leave(130));
  });
}

/** What fails is named in the result, and the rest is measured all the same. */
async function attempt<T>(what: string, measure: () => Promise<T>): Promise<T | null> {
  try {
    return await measure();
  } catch (error) {
    if (interrupted) throw error;
    failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    tell(failures.at(-1) as string);
    return null;
  }
}

/** The bare tools run on the kernel, and at the speed, of what they are compared with. */
const floorMachine = ({ lab }: Fleet) => (options.kind === "vm" ? lab.node("node2") : lab.control);

async function measureFleet(fleet: Fleet, floors: FloorRun[]): Promise<EvenkeelCase[]> {
  const cases: EvenkeelCase[] = [];
  const floor = async (runs: number) => {
    if (options.peers.includes("floor")) floors.push(...((await attempt("floor", () => runFloor(floorMachine(fleet), runs))) ?? []));
  };
  for (const mode of options.modes) {
    for (const sizeMiB of options.sizes) {
      await floor(options.runs);
      const what = `evenkeel ${mode} ${sizeMiB} MiB`;
      if (freemem() < neededBytes(sizeMiB) * 0.8) {
        failures.push(
          `${what}: needs ${neededBytes(sizeMiB) / GIBIBYTE} GiB of free memory, ${(freemem() / GIBIBYTE).toFixed(1)} are there`,
        );
        continue;
      }
      const one = await attempt(what, () =>
        measureEvenkeel(fleet, { sizeMiB, mode, runs: options.runs, percent: options.percent, nodeCores: nodeSize.cpuCores }, tell),
      );
      if (one !== null) cases.push(one);
    }
  }
  await floor(options.runs);
  return cases;
}

const withPodman = options.peers.includes("podman");
const rootDirectory = withPodman ? await buildBenchRoot(tellStep) : await buildRoot("lab", LAB_PACKAGES, tellStep);
process.env.EVENKEEL_LAB_ROOT = rootDirectory;
const largest = Math.max(...options.sizes, options.peerSize);
const size = { cpuCores: cpus().length, memoryBytes: nodeMemoryBytes(largest) };
// A guest core is a thread of the host, and one node mostly waits for the other.
const nodeSize = options.kind === "vm" ? { cpuCores: 2, memoryBytes: guestMemoryBytes(largest) } : size;
const floors: FloorRun[] = [];
const leftovers: string[] = [];

const fleet = await startFleet({
  name: "blackout",
  kind: options.kind,
  nodes: ["node1", "node2"].map((name) => ({ name, ...nodeSize })),
  withScheduler: false,
  withPrometheus: false,
  onProgress: tellStep,
});
closing = () => fleet.close();
const evenkeel = await measureFleet(fleet, floors).finally(async () => leftovers.push(...(await fleet.close())));

const tools: Record<string, PeerTool> = {
  ...(withPodman ? { podman: podmanTool("zstd"), podmanUncompressed: podmanTool("none") } : {}),
  ...(options.peers.includes("docker") ? { docker: dockerTool } : {}),
};
const peers: Record<string, PeerCase | null> = {};
if (Object.keys(tools).length > 0) {
  const lab = await startPeerLab("blackout-peers", rootDirectory, size.memoryBytes, tell);
  closing = () => lab.close();
  try {
    for (const [name, tool] of Object.entries(tools)) {
      const asked = { sizeMiB: options.peerSize, runs: options.runs };
      peers[name] = await attempt(tool.name, () => measurePeer(lab, tool, asked, tell));
    }
  } finally {
    leftovers.push(...(await lab.close()));
  }
}
if (leftovers.length > 0) failures.push(`left behind: ${leftovers.join(", ")}`);

const part = {
  floor: floors.length === 0 ? null : summariseFloor(floors),
  evenkeel,
  podman: peers["podman"] ?? null,
  podmanUncompressed: peers["podmanUncompressed"] ?? null,
  docker: peers["docker"] ?? null,
};
const machine = { cores: cpus().length, kernel: release(), memoryBytes: totalmem(), loadBefore, loadAfter: loadavg()[0] ?? 0 };
const modes = modesOf(evenkeel, options.peerSize);
const ratiosByMode = Object.fromEntries(modes.map((mode) => [mode, ratiosOf(part, mode)]));
const measured = {
  kind: options.kind,
  percent: options.percent,
  machine,
  ...part,
  ratios: ratiosOf(part, modes[0] ?? null),
  ratiosByMode,
  failures,
};
process.stdout.write(`${options.json ? JSON.stringify(measured) : measurementsTable(measured)}\n`);
leave(failures.length === 0 ? 0 : 1);
