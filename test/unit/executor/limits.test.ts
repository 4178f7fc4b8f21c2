import { expect } from "chai";
import type Docker from "dockerode";
import { type LimitsOffered, limitFindings } from "../../../executor/engine/docker/limits.js";

const ALL: LimitsOffered = {
  NCPU: 4,
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsQuota: true,
  CPUShares: true,
  CPUSet: true,
  PidsLimit: true,
};
const told = (asked: Docker.HostConfig, changes: Partial<LimitsOffered> = {}) =>
  limitFindings(asked, { ...ALL, ...changes }, "0-3").map(({ code, message }) => `${code} ${message}`);

describe("Limits of a workload", () => {
  const asked = { Memory: 64 << 20, MemorySwap: 128 << 20, NanoCpus: 4e9, CpuShares: 512, CpusetCpus: "0,2-3", PidsLimit: 50 };

  it("are kept where Docker can set them", () => {
    expect(told(asked)).to.deep.equal([]);
  });

  it("would be lost where it cannot, of which it would only warn", () => {
    expect(told(asked, { SwapLimit: false, CpuCfsQuota: false, PidsLimit: false })).to.deep.equal([
      "limit-lost Docker here cannot limit its swap, CPU time, processes",
    ]);
    expect(told({ CpusetMems: "0" }, { CPUSet: false })).to.deep.equal(["limit-lost Docker here cannot limit its set of CPUs"]);
  });

  it("that it does not have are not missed", () => {
    const none = { Memory: 0, MemorySwap: -1, CpuQuota: 0, CpusetCpus: "", PidsLimit: null } as unknown as Docker.HostConfig;
    const nothing = { MemoryLimit: false, SwapLimit: false, CpuCfsQuota: false, CPUShares: false, CPUSet: false, PidsLimit: false };
    expect(told(none, nothing)).to.deep.equal([]);
    expect(told({ PidsLimit: -1 }, nothing)).to.deep.equal([]);
  });

  it("name no more CPUs than there are", () => {
    expect(told({ NanoCpus: 4.5e9 })).to.deep.equal(["cpus-short It is given 4.5; there are 4 here"]);
    expect(told({ CpusetCpus: "2-5" })).to.deep.equal(["cpus-short It is bound to 2-5; there are 0-3 here"]);
  });
});
