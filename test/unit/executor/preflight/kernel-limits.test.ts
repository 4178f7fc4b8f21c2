import { expect } from "chai";
import { lowerLimitFindings, readKernelLimits, readUsedLimits, usedLimitFindings } from "../../../../executor/preflight/kernel-limits.js";

describe("What kernels are set to allow", () => {
  const told = (source: Record<string, number>, destination: Record<string, number>) =>
    lowerLimitFindings(source, destination).map(({ severity, message }) => `${severity} ${message}`);

  it("is compared in one direction: less at the destination is told, as a warning", () => {
    expect(
      told({ "vm.max_map_count": 262_144, "kernel.pid_max": 32_768 }, { "vm.max_map_count": 65_530, "kernel.pid_max": 4_194_304 }),
    ).to.deep.equal(["warn vm.max_map_count is 65530, not 262144"]);
    expect(told({ "vm.max_map_count": 65_530 }, { "vm.max_map_count": 262_144 })).to.deep.equal([]);
  });

  it("is not compared where one kernel does not know of it", () => {
    expect(told({ "net.core.rmem_max": 212_992 }, {})).to.deep.equal([]);
    expect(told({}, { "net.core.rmem_max": 212_992 })).to.deep.equal([]);
  });

  it("is less where no more memory is promised than there is", () => {
    expect(told({ "vm.overcommit_memory": 1 }, { "vm.overcommit_memory": 2 })).to.deep.equal(["warn vm.overcommit_memory is 2, not 1"]);
    expect(told({ "vm.overcommit_memory": 2 }, { "vm.overcommit_memory": 0 })).to.deep.equal([]);
    expect(told({ "vm.overcommit_memory": 1 }, { "vm.overcommit_memory": 0 })).to.deep.equal([]);
  });

  it("stops a workload that has more already", () => {
    const used = { "vm.max_map_count": 70_000, "fs.nr_open": 1024 };
    expect(usedLimitFindings(used, { "vm.max_map_count": 65_530, "fs.nr_open": 1_048_576 }).map(({ message }) => message)).to.deep.equal([
      "It has 70000, and vm.max_map_count is 65530 here",
    ]);
    expect(usedLimitFindings(used, { "vm.max_map_count": 70_000 })).to.deep.equal([]);
  });

  it("is read of this machine and of this process, which keeps to it", async () => {
    const [here, used] = [await readKernelLimits(), await readUsedLimits([process.pid])];
    expect(used["vm.max_map_count"]).to.be.within(20, here["vm.max_map_count"]!);
    expect(used["fs.nr_open"]).to.be.within(20, here["fs.nr_open"]!);
    expect(used["kernel.pid_max"]).to.be.within(2, here["kernel.pid_max"]!);
    expect(usedLimitFindings(used, here)).to.deep.equal([]);
  });
});
