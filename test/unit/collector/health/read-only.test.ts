import { expect } from "chai";
import type { Looker } from "../../../../collector/health/look.js";
import { makeReadOnly } from "../../../../collector/health/read-only.js";
import { withFileTree } from "./file-tree.js";

const NOW = 1_000_000;

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
