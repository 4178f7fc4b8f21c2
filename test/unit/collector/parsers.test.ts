import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseServiceBytes } from "../../../collector/cgroup-v1.js";
import { parseCpuMax, parseIoStat } from "../../../collector/cgroup-v2.js";
import { parseDiskstats } from "../../../collector/disk.js";
import { parseMeminfo } from "../../../collector/meminfo.js";
import { parseNetDev } from "../../../collector/network.js";
import { parseCount, parseField, parseLimit } from "../../../collector/parse-number.js";
import { parsePressure } from "../../../collector/pressure.js";
import { parseProcStat } from "../../../collector/proc-stat.js";
import { fixturePath } from "./fixtures.js";

const captured = (path: string) => readFileSync(join(fixturePath("plain-host"), path), "utf8");

describe("the readers of /proc files", () => {
  it("count as busy all CPU time but idle and iowait, on as many CPUs as are online", () => {
    const { onlineCpus, busySeconds } = parseProcStat(captured("proc/stat"));
    expect(onlineCpus).to.equal(2);
    expect(busySeconds).to.be.closeTo((10814 + 88783 + 8573 + 0 + 182 + 41) / 100, 1e-9);
  });

  it("do not count guest time twice", () => {
    expect(parseProcStat("cpu 100 0 0 50 0 0 0 0 90 10\ncpu0 100 0 0 50 0 0 0 0 90 10\n").busySeconds).to.equal(1);
  });

  it("take the kernel's own estimate of available memory, in bytes", () => {
    expect(parseMeminfo(captured("proc/meminfo"))).to.deep.equal({ totalBytes: 24684092 * 1024, availableBytes: 23916728 * 1024 });
  });

  it("read pressure as a ratio, and an unknown `full` as unknown", () => {
    expect(parsePressure(captured("proc/pressure/cpu"))).to.deep.equal({ someRatio: 0.5714, fullRatio: 0 });
    expect(parsePressure("some avg10=12.00 avg60=0.00 avg300=0.00 total=1\n")).to.deep.equal({ someRatio: 0.12, fullRatio: null });
  });

  it("read the bytes of every network link", () => {
    const eth0 = parseNetDev(captured("proc/self/net/dev")).find((link) => link.name === "eth0");
    expect(eth0).to.deep.equal({ name: "eth0", receiveBytes: 609189774, transmitBytes: 1200577 });
  });

  it("read a link whose counter touches its name", () => {
    expect(parseNetDev("a\nb\n  eth0:12345 1 0 0 0 0 0 0 678 1 0 0 0 0 0 0\n")).to.deep.equal([
      { name: "eth0", receiveBytes: 12345, transmitBytes: 678 },
    ]);
  });

  it("read disk sectors as 512 bytes each", () => {
    const disk = parseDiskstats(captured("proc/diskstats")).find((entry) => entry.device === "254:0");
    expect(disk).to.deep.equal({ device: "254:0", readBytes: 6372402 * 512, writeBytes: 7632704 * 512 });
  });

  it("refuse a file without the field they need", () => {
    expect(() => parseMeminfo("MemTotal: 1 kB\n")).to.throw("MemAvailable");
    expect(() => parseProcStat("intr 1 2 3\n")).to.throw("no cpu line");
    expect(() => parsePressure("")).to.throw("some");
  });
});

describe("the readers of cgroup files", () => {
  it("never take rubbish or nothing for zero", () => {
    for (const text of ["", "-1", "1 2", "0x10", "nan", undefined]) expect(() => parseCount(text), String(text)).to.throw("not a number");
  });

  it("tell a limit from none", () => {
    expect(parseLimit("max\n")).to.equal(null);
    expect(parseLimit("1073741824\n")).to.equal(1073741824);
    expect(parseCpuMax("150000 100000\n")).to.equal(1.5);
    expect(parseCpuMax("max 100000\n")).to.equal(null);
  });

  it("find a field by its whole name", () => {
    expect(parseField("inactive_file_x 1\ninactive_file 2\n", "inactive_file")).to.equal(2);
    expect(() => parseField("anon 1\n", "inactive_file")).to.throw("no field inactive_file");
  });

  it("read block I/O of both versions by device", () => {
    expect(parseServiceBytes("8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\nTotal 30\n")).to.deep.equal([
      { device: "8:0", readBytes: 10, writeBytes: 20 },
    ]);
    expect(parseServiceBytes("Total 0\n")).to.deep.equal([]);
    expect(parseIoStat("8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 \n")).to.deep.equal([
      { device: "8:0", readBytes: 10, writeBytes: 20 },
    ]);
  });
});
