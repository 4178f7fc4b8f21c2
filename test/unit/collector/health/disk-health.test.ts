import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeDiskHealth } from "../../../../collector/health/disk-health.js";
import type { Looker } from "../../../../collector/health/look.js";
import { withFileTree } from "./file-tree.js";

const NOW = 1_000_000;

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
