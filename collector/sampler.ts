import { nowSeconds } from "../platform/clock.js";
import { parseCgroupMounts } from "./cgroup-mounts.js";
import { deriveSample, deriveTraffic, type Reading, type Traffic } from "./derive-sample.js";
import { readFlagFile } from "./flag-file.js";
import { type Failure, makeProbe, type Probe } from "./probe.js";
import type { NodeHealth, NodeSample } from "./protocol.js";
import { readHost } from "./read-host.js";
import { readWorkload } from "./read-workload.js";
import type { ContainersNow, ContainerWatch } from "./watch-containers.js";

export interface Sampling {
  /** Null at the first reading of a run, which only gives the counters a beginning, and while the node's size is unknown. */
  readonly sample: NodeSample | null;
  /**
   * False while the list of containers is unknown. Such a sample looks like that of an empty node, and an empty node ends a drain:
   * better silent, and so unknown.
   */
  readonly isPublishable: boolean;
  readonly traffic: Traffic;
  readonly failures: readonly Failure[];
}

export interface SamplerOptions {
  readonly node: string;
  readonly maintenanceFile: string;
  readonly cordonFile: string;
  readonly containers: Pick<ContainerWatch, "current" | "renew">;
  /** What the slow probe has found last; null = it has not looked yet. */
  health?(): NodeHealth | null;
  /** Folder that holds `proc` and `sys`. */
  readonly root?: string;
}

/** Takes one sample a call; keeps the previous reading for the rates. */
export function makeSampler(options: SamplerOptions): () => Promise<Sampling> {
  let before: Reading | null = null;
  // Begun at the clock, so that a restarted collector goes on above its old numbers.
  let sequence = Date.now();

  return async () => {
    const probe = makeProbe(options.root);
    // Before the list is asked for: what had been started by then is in it.
    const at = nowSeconds();
    const containers = await options.containers.current();
    const reading = { at, ...(await readAll(probe, options, containers, before)) };
    if (reading.failures.some((failure) => failure.source === "workload")) options.containers.renew();
    const traffic = deriveTraffic(before, reading);
    const sample = before === null ? null : withHealth(deriveSample(options.node, sequence, before, reading), options.health?.() ?? null);
    before = reading;
    if (sample !== null) sequence += 1;
    return { sample, isPublishable: containers.known, traffic, failures: reading.failures };
  };
}

function withHealth(sample: NodeSample | null, health: NodeHealth | null): NodeSample | null {
  return sample === null ? null : { ...sample, health };
}

async function readAll(
  probe: Probe,
  options: SamplerOptions,
  containers: ContainersNow,
  before: Reading | null,
): Promise<Omit<Reading, "at">> {
  const mounts = (await probe.read("cgroups", "/proc/self/mountinfo", parseCgroupMounts)) ?? { v1: new Map(), v2: null };
  if (!containers.known) probe.fail("containers", `list: ${containers.because}`);
  const [host, workloads, maintenanceFile, cordonFile] = await Promise.all([
    readHost(probe, mounts),
    Promise.all((containers.known ? containers.containers : []).map((container) => readWorkload(probe, mounts, container))),
    readFlagFile(probe, "maintenance", options.maintenanceFile, before?.maintenanceFile ?? null),
    readFlagFile(probe, "cordon", options.cordonFile, before?.cordonFile ?? null),
  ]);
  const endedNames = containers.known ? containers.endedNames : [];
  return { host, workloads, endedNames, maintenanceFile, cordonFile, failures: probe.failures };
}
