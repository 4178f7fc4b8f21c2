import { readFileSync } from "node:fs";
import type { LabWorkload } from "../../lab/workloads/workload-table.js";
import { projectPath } from "../../platform/paths.js";

export const HOLDER_PORT = 7000;
const MIB = 1 << 20;
/** The interpreter, its libraries and what tmpfs charges to a container. */
const OVERHEAD_MIB = 192;

/** The program travels on the command line, so that the lab's own image does for all. */
export function holderCommand(sizeMiB: number, port = HOLDER_PORT): string[] {
  const program = readFileSync(projectPath("bench/blackout/programs/holder.py"), "utf8");
  return ["python3", "-S", "-B", "-c", program, "--port", String(port), "--megabytes", String(sizeMiB), "--percent", "10"];
}

/** The workload that is measured: holds and rewrites memory, and answers. `protocol` is not used: the bench has a client of its own. */
export function holderWorkload(sizeMiB: number): LabWorkload {
  return {
    name: `holder-${sizeMiB}`,
    protocol: "rewriter",
    character: "holds memory, rewrites a tenth of it a second, and answers",
    image: HOLDER_IMAGE,
    command: holderCommand(sizeMiB),
    address: "10.77.0.140",
    macAddress: "02:45:4b:00:00:8c",
    port: HOLDER_PORT,
    memoryLimitBytes: (sizeMiB + OVERHEAD_MIB) * MIB,
    cpuLimitCores: 2,
    volumes: [],
    labels: {},
    env: {},
  };
}

export const HOLDER_IMAGE = "evenkeel-lab/python:1";
