import { expect } from "chai";
import { lookAtStalls } from "../../../../collector/health/stalls.js";
import { withFileTree } from "./file-tree.js";

const NO_MOUNTS = { v1: new Map(), v2: null };

describe("stalls", () => {
  const psi = (full: number) =>
    `some avg10=99.00 avg60=99.00 avg300=1.00 total=1\nfull avg10=99.00 avg60=${full.toFixed(2)} avg300=1.00 total=1`;

  it("are whole minutes in which everything waited, and not ten seconds, nor some tasks", () =>
    withFileTree({ "proc/pressure/memory": psi(19), "proc/pressure/io": psi(79) }, async (tree) => {
      expect(await lookAtStalls(tree.probe(), false, NO_MOUNTS)).to.deep.equal({ signs: [], unread: null });
      await tree.write("proc/pressure/memory", psi(20));
      await tree.write("proc/pressure/io", psi(81));
      expect((await lookAtStalls(tree.probe(), false, NO_MOUNTS)).signs).to.deep.equal([
        "all tasks waited for memory in 20 % of a minute",
        "all tasks waited for the disk in 81 % of a minute",
      ]);
    }));

  it("are unknown where the kernel keeps no figures for this node", () =>
    withFileTree({ "proc/pressure/memory": psi(90) }, async (tree) => {
      expect((await lookAtStalls(tree.probe(), true, NO_MOUNTS)).unread).to.contain("no pressure figures");
    }));
});
