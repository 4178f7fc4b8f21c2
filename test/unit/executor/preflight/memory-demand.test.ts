import { expect } from "chai";
import { beyondLimitFindings, memoryDemand } from "../../../../executor/preflight/memory-demand.js";
import { sumOwnMemory } from "../../../../executor/preflight/own-memory.js";
import { sumHugePages } from "../../../../executor/preflight/process-findings.js";

const PLAIN = { memoryLimitBytes: null, sharedMemoryBytes: 0, forkedBytes: 0, swappedBytes: 0, hugePageBytes: 0 };

/** As the kernel prints it, in kB. */
const rollup = (sizes: Readonly<Record<string, number>>) =>
  [
    "55d0-7ffc ---p 00000000 00:00 0                          [rollup]",
    ...Object.entries(sizes).map(([name, kB]) => `${name}: ${kB} kB`),
  ].join("\n");

/** As `smaps` has it. */
const mapping = (head: string, sizes: Readonly<Record<string, number>>) =>
  [head, ...Object.entries(sizes).map(([name, kB]) => `${name}:    ${kB} kB`), "VmFlags: rd wr sh mr mw me ms sd"].join("\n");

describe("What a move takes of memory", () => {
  it("is the workload twice, and its images once more for what processes share", () => {
    expect(memoryDemand(100, PLAIN)).to.deep.equal({ imageBytes: 100, memoryBytes: 200, forkedRoomBytes: 100 });
    expect(memoryDemand(100, { ...PLAIN, memoryLimitBytes: 150, forkedBytes: 40, sharedMemoryBytes: 5 })).to.deep.equal({
      imageBytes: 145,
      memoryBytes: 245,
      forkedRoomBytes: 50,
    });
  });

  it("counts what is in swap, which is restored into memory", () => {
    expect(memoryDemand(100, { ...PLAIN, swappedBytes: 30 })).to.include({ imageBytes: 130, memoryBytes: 260 });
  });

  it("counts huge pages in the images alone: what they are restored into is set apart", () => {
    expect(memoryDemand(100, { ...PLAIN, hugePageBytes: 30 })).to.include({ imageBytes: 130, memoryBytes: 230 });
  });

  it("is refused beyond a limit that swap has made it fit into", () => {
    const codes = (limit: number | null, swappedBytes: number, anonymousBytes = 90) =>
      beyondLimitFindings({ memoryLimitBytes: limit, swappedBytes, anonymousBytes }).map(({ code }) => code);
    expect(codes(100, 30)).to.deep.equal(["beyond-limit"]);
    expect(codes(120, 30)).to.deep.equal([]);
    expect(codes(null, 30)).to.deep.equal([]);
    expect(codes(80, 0), "its sizes are not of one moment").to.deep.equal([]);
    expect(memoryDemand(100, { ...PLAIN, memoryLimitBytes: 200, swappedBytes: 30 })).to.include({ forkedRoomBytes: 70 });
    expect(memoryDemand(100, { ...PLAIN, memoryLimitBytes: 110, swappedBytes: 30 })).to.include({ forkedRoomBytes: 0 });
  });

  it("is told by proportional sizes, once for what processes share", () => {
    const told = (sizes: Readonly<Record<string, number>>, ...mappings: string[]) => ({
      rollup: rollup(sizes),
      mappings: mappings.join("\n"),
    });
    const heap = (swap: number, share: number) => mapping("55d0-55e0 rw-p 00000000 00:00 0 [heap]", { Swap: swap, SwapPss: share });
    const one = told({ Anonymous: 100, Pss_Anon: 60, Pss_Shmem: 7, Swap: 40, SwapPss: 25 }, heap(30, 15), heap(10, 10));
    const other = told({ Anonymous: 80, Pss_Anon: 40, Swap: 30, SwapPss: 15 }, heap(30, 15));
    expect(sumOwnMemory([one, other, { rollup: "", mappings: "" }])).to.deep.equal({
      forkedBytes: (40 + 40 + 15 + 15) * 1024,
      swappedBytes: 40 * 1024,
      anonymousBytes: 107 * 1024,
    });
    // Linux before 5.3 does not tell.
    expect(sumOwnMemory([told({ Anonymous: 100, Swap: 40, SwapPss: 40 }, heap(40, 40))])).to.deep.equal({
      forkedBytes: 0,
      swappedBytes: 40 * 1024,
      anonymousBytes: 0,
    });
  });

  it("has shared memory that is in swap once, though the kernel tells all of it of every process that has it", () => {
    const segment = (swap: number) => mapping("7f10-7f50 rw-s 00000000 00:01 98304 /SYSV00000000 (deleted)", { Swap: swap, SwapPss: 0 });
    const backend = (...swaps: number[]) => ({
      rollup: rollup({ Anonymous: 10, Pss_Anon: 10, Swap: 300, SwapPss: 0 }),
      mappings: swaps.map(segment).join("\n"),
    });
    expect(sumOwnMemory([backend(100, 200), backend(300), backend(50)])).to.deep.equal({
      forkedBytes: 0,
      swappedBytes: 300 * 1024,
      anonymousBytes: 30 * 1024,
    });
  });

  it("has huge pages that processes share once, and each one's own", () => {
    const huge = (shared: number, own: number) =>
      mapping("7f10-7f50 rw-s 00000000 00:0f 12 /anon_hugepage (deleted)", { Shared_Hugetlb: shared, Private_Hugetlb: own });
    expect(sumHugePages([huge(4096, 2048), huge(4096, 0), huge(2048, 0), ""])).to.equal((4096 + 2048) * 1024);
  });
});
