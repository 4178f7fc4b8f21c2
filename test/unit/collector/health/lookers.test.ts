import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseCgroupMounts } from "../../../../collector/cgroup-mounts.js";
import { makeDiskHealth } from "../../../../collector/health/disk-health.js";
import { countOoms, rememberLimited } from "../../../../collector/health/engine-facts.js";
import type { Looker } from "../../../../collector/health/look.js";
import { makeMemoryErrors, parseMachineChecks } from "../../../../collector/health/memory-errors.js";
import { makeOomKills } from "../../../../collector/health/oom-kills.js";
import { makeReadOnly } from "../../../../collector/health/read-only.js";
import { lookAtStalls } from "../../../../collector/health/stalls.js";
import { lookAtTemperatures } from "../../../../collector/health/temperature.js";
import { withFileTree } from "./file-tree.js";

const NOW = 1_000_000;
const NO_MOUNTS = { v1: new Map(), v2: null };

describe("memory errors", () => {
  const MC = "sys/devices/system/edac/mc";
  const look = async (looker: Looker, tree: Parameters<Parameters<typeof withFileTree>[1]>[0], at = NOW) => looker(tree.probe(), at);

  it("are told from the counters of EDAC drivers: one uncorrectable, or many corrected within an hour", () =>
    withFileTree({ [`${MC}/mc0/ue_count`]: 0, [`${MC}/mc0/ce_count`]: 5000, [`${MC}/mc0/mc_name`]: "x" }, async (tree) => {
      const looker = makeMemoryErrors();
      expect(await look(looker, tree), "what was there before").to.deep.equal({ signs: [], unread: null });
      await tree.write(`${MC}/mc0/ce_count`, 5050);
      expect((await look(looker, tree, NOW + 600)).signs).to.deep.equal([]);
      await tree.write(`${MC}/mc0/ce_count`, 5120);
      expect((await look(looker, tree, NOW + 1200)).signs).to.deep.equal(["mc0: 120 corrected memory errors within an hour"]);
      expect((await look(looker, tree, NOW + 9000)).signs, "hours later").to.deep.equal([]);
      await tree.write(`${MC}/mc0/ue_count`, 1);
      expect((await look(looker, tree, NOW + 9030)).signs).to.deep.equal(["mc0: 1 uncorrectable memory errors since boot"]);
    }));

  it("are told from machine check exceptions", () =>
    withFileTree(
      { "proc/interrupts": "           CPU0       CPU1\n MCE:          2          1   Machine check exceptions\n MCP:  9 9 polls" },
      async (tree) => {
        expect(parseMachineChecks(" NMI: 1 2")).to.equal(null);
        expect((await look(makeMemoryErrors(), tree)).signs).to.deep.equal(["3 machine check exceptions since boot"]);
      },
    ));

  it("are unknown on a machine that counts none, and a counter that cannot be read is a failure and no sign", async () => {
    await withFileTree({ "proc/interrupts": "  0:  1  timer" }, async (tree) => {
      expect((await look(makeMemoryErrors(), tree)).unread).to.contain("no EDAC driver");
    });
    await withFileTree({ [`${MC}/mc0/ue_count`]: "rubbish", [`${MC}/mc0/ce_count`]: 0 }, async (tree) => {
      const probe = tree.probe();
      expect(await makeMemoryErrors()(probe, NOW)).to.deep.equal({ signs: [], unread: null });
      expect(probe.failures.map(({ source }) => source)).to.deep.equal(["health"]);
    });
  });
});

describe("heat", () => {
  const CPU = "sys/class/hwmon/hwmon1";
  const sensors = { [`${CPU}/name`]: "coretemp", [`${CPU}/temp1_label`]: "Package id 0", [`${CPU}/temp1_crit`]: 100_000 };

  it("is a sensor at the bound that its own chip calls critical", () =>
    withFileTree({ ...sensors, [`${CPU}/temp1_input`]: 99_000 }, async (tree) => {
      expect(await lookAtTemperatures(tree.probe(), NOW)).to.deep.equal({ signs: [], unread: null });
      await tree.write(`${CPU}/temp1_input`, 100_000);
      expect((await lookAtTemperatures(tree.probe(), NOW)).signs).to.deep.equal(["coretemp Package id 0: 100 °C, critical from 100 °C"]);
    }));

  it("is unknown without a sensor, without a bound, and where the bound is none", async () => {
    const unknown = async (files: Record<string, string | number>) =>
      withFileTree(files, async (tree) => {
        expect((await lookAtTemperatures(tree.probe(), NOW)).unread).to.contain("no temperature sensor");
      });
    await unknown({});
    await unknown({ [`${CPU}/temp1_input`]: 120_000 });
    await unknown({ [`${CPU}/temp1_input`]: 90_000, [`${CPU}/temp1_crit`]: 0 });
    await unknown({ [`${CPU}/temp1_input`]: 90_000, [`${CPU}/temp1_crit`]: -273_150 });
    await unknown({ [`${CPU}/temp1_input`]: "", [`${CPU}/temp1_crit`]: 100_000 });
  });
});

describe("file systems that have turned read-only", () => {
  const mounts = (...lines: string[]) => ({ "proc/1/mountinfo": lines.join("\n") });
  const root = "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw";
  const look = async (files: Record<string, string>, written: string[] = ["/var/lib/docker"]) => {
    let answer: Awaited<ReturnType<Looker>> | undefined;
    await withFileTree(files, async (tree) => {
      answer = await makeReadOnly(async () => written)(tree.probe(), NOW);
    });
    return answer!;
  };

  it("are those mounted for writing whose system says otherwise", async () => {
    expect(await look(mounts(root))).to.deep.equal({ signs: [], unread: null });
    expect((await look(mounts(root, "30 21 8:1 / /data\\040disk rw - ext4 /dev/sdb1 ro,errors=remount-ro"))).signs).to.deep.equal([
      "/data disk (ext4 on /dev/sdb1) has turned read-only",
    ]);
  });

  it("are not those that somebody mounted read-only, unless Docker or Evenkeel writes there", async () => {
    const cdrom = "31 21 11:0 / /media ro - iso9660 /dev/sr0 ro";
    const usr = "32 21 8:2 / /usr ro - ext4 /dev/sda2 ro";
    expect((await look(mounts(root, cdrom, usr))).signs).to.deep.equal([]);
    expect((await look(mounts(root, "33 21 8:3 / /var/lib/docker ro - xfs /dev/sda3 rw"))).signs).to.deep.equal([
      "/var/lib/docker is on /var/lib/docker, which is read-only",
    ]);
    expect((await look(mounts(root, "33 21 8:3 / /var/lib/docker2 ro - xfs /dev/sda3 rw"))).signs).to.deep.equal([]);
  });

  it("count once for each system, and what a later mount hides does not count", async () => {
    const failed = "30 21 8:1 / /a rw - ext4 /dev/sdb1 ro";
    expect((await look(mounts(root, failed, failed.replace("/a", "/b")), [])).signs).to.have.length(1);
    const hidden = "33 21 8:3 / /var/lib/docker ro - xfs /dev/sda3 rw";
    expect((await look(mounts(root, hidden, "34 33 8:4 / /var/lib/docker rw - xfs /dev/sda4 rw"))).signs).to.deep.equal([]);
    const own = "35 21 8:3 / /var/lib/docker/100000.100000 rw - xfs /dev/sda3 rw";
    expect((await look(mounts(root, own, hidden), ["/var/lib/docker/100000.100000"])).signs).to.have.length(1);
    expect((await look(mounts(root, hidden, own), ["/var/lib/docker/100000.100000"])).signs).to.deep.equal([]);
  });

  it("are unknown when the mounts cannot be read", async () => expect((await look({})).unread).to.contain("mounts"));
});

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

describe("disks", () => {
  const disk = (smartStatus: string) => ({ device: "/dev/sda", name: "Some Disk", smartStatus });
  const settled = async (tree: { probe(): Parameters<Looker>[0] }, looker: Looker, at = NOW) => {
    await looker(tree.probe(), at);
    await new Promise((resolve) => setImmediate(resolve));
    return looker(tree.probe(), at + 1);
  };

  it("that predict their failure are a sign; those that say nothing are unknown; one that hangs holds nothing up", () =>
    withFileTree({}, async (tree) => {
      expect(
        (
          await settled(
            tree,
            makeDiskHealth(async () => [disk("Predicted Failure")]),
          )
        ).signs,
      ).to.deep.equal(["/dev/sda (Some Disk): the disk predicts its own failure"]);
      expect(
        await settled(
          tree,
          makeDiskHealth(async () => [disk("Ok")]),
        ),
      ).to.deep.equal({ signs: [], unread: null });
      expect(
        (
          await settled(
            tree,
            makeDiskHealth(async () => [disk("unknown")]),
          )
        ).unread,
      ).to.contain("no disk tells");
      expect(
        (
          await settled(
            tree,
            makeDiskHealth(async () => Promise.reject(new Error("no"))),
          )
        ).unread,
      ).to.contain("no disk tells");
      expect(
        (
          await settled(
            tree,
            makeDiskHealth(() => new Promise(() => {})),
          )
        ).unread,
      ).to.contain("not answered yet");
    }));

  it("are asked seldom, since asking wakes them", () =>
    withFileTree({}, async (tree) => {
      let asked = 0;
      const looker = makeDiskHealth(async () => {
        asked++;
        return [disk("Ok")];
      });
      for (let at = NOW; at < NOW + 1800; at += 30) {
        await looker(tree.probe(), at);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(asked).to.equal(3);
    }));

  it("tell by systeminformation, from what smartctl says of a failing disk", async function () {
    this.timeout(20_000);
    // No disk of the lab fails on demand: lsblk and smartctl answer as they do for one that does (smartctl 7.3, -a -j).
    const folder = await mkdtemp(join(tmpdir(), "evenkeel-smart-"));
    const path = process.env["PATH"];
    try {
      const answer = async (name: string, text: string) => {
        await writeFile(join(folder, name), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
        await chmod(join(folder, name), 0o755);
      };
      const block = {
        name: "sda",
        type: "disk",
        size: 1000,
        rota: true,
        model: "Old Disk",
        serial: "1",
        rev: "2",
        tran: "sata",
        fstype: null,
        mountpoint: null,
        label: null,
      };
      await answer("lsblk", JSON.stringify({ blockdevices: [block] }));
      await answer(
        "smartctl",
        JSON.stringify({ smartctl: { argv: ["smartctl", "-a", "-j", "/dev/sda"] }, smart_status: { passed: false } }),
      );
      process.env["PATH"] = `${folder}:${path}`;
      await withFileTree({}, async (tree) => {
        const looker = makeDiskHealth();
        const deadline = Date.now() + 15_000;
        let signs = (await looker(tree.probe(), NOW)).signs;
        while (signs.length === 0 && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          signs = (await looker(tree.probe(), NOW)).signs;
        }
        expect(signs).to.deep.equal(["/dev/sda (Old Disk): the disk predicts its own failure"]);
      });
    } finally {
      process.env["PATH"] = path;
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("below a file system that meets errors, or missing from an array, are a sign", () =>
    withFileTree({ "sys/fs/ext4/sda1/errors_count": 3, "sys/block/md0/md/degraded": 0, "sys/block/sda/size": 1 }, async (tree) => {
      const looker = makeDiskHealth(async () => []);
      expect((await looker(tree.probe(), NOW)).signs, "old errors").to.deep.equal([]);
      await tree.write("sys/fs/ext4/sda1/errors_count", 5);
      await tree.write("sys/block/md0/md/degraded", 1);
      expect((await looker(tree.probe(), NOW + 30)).signs).to.deep.equal([
        "sda1: 2 file system errors within an hour",
        "md0: the array runs without 1 of its disks",
      ]);
    }));
});
