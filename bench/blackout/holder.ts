import { readFileSync } from "node:fs";
import type { LabWorkload } from "../../lab/workloads/workload-table.js";
import { projectPath } from "../../platform/paths.js";

export const HOLDER_PORT = 7000;
const MIB = 1 << 20;
/** The interpreter, its libraries and what tmpfs charges to a container. */
const OVERHEAD_MIB = 192;
const MOST_CORES = 2;
/** Of its memory, rewritten each second. */
const USUAL_PERCENT = 10;

/** The program travels on the command line, so that the lab's own image does for all. */
export function holderCommand(sizeMiB: number, port = HOLDER_PORT, percent = USUAL_PERCENT): string[] {
  const program = readFileSync(projectPath("bench/blackout/programs/holder.py"), "utf8");
  return ["python3", "-S", "-B", "-c", program, "--port", String(port), "--megabytes", String(sizeMiB), "--percent", String(percent)];
}

/** The workload that is measured: holds and rewrites memory, and answers. `protocol` is not used: the bench has a client of its own. */
export function holderWorkload(
  sizeMiB: number,
  { nodeCores = Number.POSITIVE_INFINITY, percent = USUAL_PERCENT }: { nodeCores?: number; percent?: number } = {},
): LabWorkload {
  return {
    name: `holder-${sizeMiB}`,
    protocol: "rewriter",
    character: `holds memory, rewrites ${percent} % of it a second, and answers`,
    image: HOLDER_IMAGE,
    command: holderCommand(sizeMiB, HOLDER_PORT, percent),
    address: "10.77.0.140",
    macAddress: "02:45:4b:00:00:8c",
    port: HOLDER_PORT,
    memoryLimitBytes: (sizeMiB + OVERHEAD_MIB) * MIB,
    cpuLimitCores: Math.min(MOST_CORES, nodeCores),
    volumes: [],
    labels: {},
    env: {},
  };
}

export const HOLDER_IMAGE = "evenkeel-lab/python:1";
