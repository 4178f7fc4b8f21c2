import { expect } from "chai";
import type { NodeSample } from "../../../collector/protocol.js";
import { DEFAULT_CONSOLIDATE_CONFIG } from "../../../policies/consolidate/config.js";
import { rememberLoads } from "../../../scheduler/fleet/remember-loads.js";

const { forecast } = DEFAULT_CONSOLIDATE_CONFIG;

function sample(at: number, cpuUsedCores: number | null, state = "running", labels: Record<string, string> = {}): NodeSample {
  return { at, workloads: [{ id: "w", state, cpuUsedCores, labels }] } as unknown as NodeSample;
}

describe("what is remembered of a workload's CPU", () => {
  it("is each reading once, however often its sample is seen", () => {
    const loads = rememberLoads();
    loads.learn([sample(100, 1)], forecast);
    loads.learn([sample(110, 3)], forecast);
    const once = loads.of("w");
    loads.learn([sample(110, 3)], forecast);
    expect(loads.of("w")).to.equal(once);
    expect(once).to.include({ at: 110, seconds: 10, mean: 3 });
    expect(loads.of("other")).to.equal(null);
  });

  it("is not what could not be read, nor what it uses while it is held still", () => {
    const loads = rememberLoads();
    loads.learn([sample(100, 2)], forecast);
    for (const reading of [sample(110, null), sample(120, 0, "frozen"), sample(130, 0, "paused")]) loads.learn([reading], forecast);
    expect(loads.of("w")).to.include({ at: 100, mean: 2 });
  });

  it("goes with the workload to another node, and is forgotten long after it is gone", () => {
    const loads = rememberLoads();
    const label = { "io.evenkeel.workload": "shop" };
    loads.learn([sample(100, 2, "running", label)], forecast);
    loads.learn([{ ...sample(110, 2, "running", label), node: "elsewhere" }], forecast);
    expect(loads.of("shop")).to.include({ at: 110 });
    loads.learn([sample(3000, 1)], forecast);
    expect(loads.of("shop")).to.not.equal(null);
    loads.learn([sample(4000, 1)], forecast);
    expect(loads.of("shop")).to.equal(null);
  });
});
