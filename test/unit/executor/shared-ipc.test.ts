import { expect } from "chai";
import { sumSystemV } from "../../../executor/engine/docker/shared-ipc.js";

describe("System V memory of an IPC namespace", () => {
  it("is what is in memory and what is swapped out, of all segments", () => {
    const text = [
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap",
      "   4544075          0   600                 16384     1     1      6     0     0     0     0 1796023000          0 1796022999                  8192                  4096",
      "   4544076          1   600                 16384     1     7      0     0     0     0     0 1796023001 1796023001 1796022999                  4096                     0",
      "",
    ].join("\n");
    expect(sumSystemV(text)).to.equal(16_384);
    expect(sumSystemV(text.split("\n")[0]!)).to.equal(0);
    expect(sumSystemV("")).to.equal(0);
  });
});
