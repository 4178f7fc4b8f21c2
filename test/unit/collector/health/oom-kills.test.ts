import { expect } from "chai";
import { parseCgroupMounts } from "../../../../collector/cgroup-mounts.js";
import { countOoms, rememberLimited } from "../../../../collector/health/engine-facts.js";
import type { Looker } from "../../../../collector/health/look.js";
import { makeOomKills } from "../../../../collector/health/oom-kills.js";
import { withFileTree } from "./file-tree.js";

const NO_MOUNTS = { v1: new Map(), v2: null };

describe("kills for want of memory", () => {
  const look = (tree: { probe(): Parameters<Looker>[0] }, kills: ReturnType<typeof makeOomKills>, limited = 0, unlimited = 0) =>
    kills(tree.probe(), false, NO_MOUNTS, { limited, unlimited });

  it("are the growth of the kernel's count, confirmed by the next look; those before the first look are old", () =>
    withFileTree({ "proc/vmstat": "nr_free_pages 1\noom_kill 7" }, async (tree) => {
      const kills = makeOomKills();
      expect((await look(tree, kills)).signs).to.deep.equal([]);
      await tree.write("proc/vmstat", "oom_kill 9");
      expect((await look(tree, kills)).signs).to.deep.equal([]);
      expect((await look(tree, kills)).signs).to.deep.equal(["2 times a process was killed because the node had no memory left"]);
      expect((await look(tree, kills)).signs).to.deep.equal([]);
    }));

  it("are not those of a container that reached its own limit, whether the engine tells of them before or after the kernel", () =>
    withFileTree({ "proc/vmstat": "oom_kill 7" }, async (tree) => {
      const kills = makeOomKills();
      await look(tree, kills);
      await tree.write("proc/vmstat", "oom_kill 8");
      expect((await look(tree, kills, 1)).signs).to.deep.equal([]);
      expect((await look(tree, kills, 1)).signs).to.deep.equal([]);
      await tree.write("proc/vmstat", "oom_kill 9");
      expect((await look(tree, kills, 1)).signs).to.deep.equal([]);
      expect((await look(tree, kills, 2)).signs).to.deep.equal([]);
      expect((await look(tree, kills, 2)).signs).to.deep.equal([]);
    }));

  it("are known at once, and counted once, when a container without a limit was hit", () =>
    withFileTree({ "proc/vmstat": "oom_kill 7" }, async (tree) => {
      const kills = makeOomKills();
      await look(tree, kills);
      await tree.write("proc/vmstat", "oom_kill 8");
      expect((await look(tree, kills, 0, 1)).signs).to.have.length(1);
      expect((await look(tree, kills, 0, 1)).signs).to.deep.equal([]);
    }));

  it("of a confined node are its own cgroup's, not the machine's", () =>
    withFileTree({ "proc/vmstat": "oom_kill 7", "sys/fs/cgroup/memory.events": "low 0\noom_kill 0" }, async (tree) => {
      const mounts = parseCgroupMounts("29 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
      const kills = makeOomKills();
      const lookConfined = () => kills(tree.probe(), true, mounts, { limited: 0, unlimited: 0 });
      await lookConfined();
      await tree.write("proc/vmstat", "oom_kill 99");
      await lookConfined();
      expect((await lookConfined()).signs).to.deep.equal([]);
      await tree.write("sys/fs/cgroup/memory.events", "low 0\noom_kill 1");
      await lookConfined();
      expect((await lookConfined()).signs).to.have.length(1);
    }));

  it("are told apart by whether the container has a limit", () => {
    expect(
      countOoms(
        new Map([
          ["a", 2],
          ["b", 1],
        ]),
        new Set(["a"]),
      ),
    ).to.deep.equal({ limited: 2, unlimited: 1 });
  });

  it("remember which containers had a limit for a while after they have gone, and for good where one has run out", () => {
    const events = new Map<string, number>();
    const limited = rememberLimited(() => events);
    const seen = (ids: readonly string[], at: number) =>
      limited.see(
        ids.map((containerId) => ({ containerId, memoryLimitBytes: 1 })),
        at,
      );
    seen(["a", "b"], 0);
    limited.see([{ containerId: "c", memoryLimitBytes: null }], 0);
    seen([], 600);
    expect([...limited.ids]).to.deep.equal(["a", "b"]);
    events.set("b", 1);
    seen([], 601);
    expect([...limited.ids]).to.deep.equal(["b"]);
  });
});
