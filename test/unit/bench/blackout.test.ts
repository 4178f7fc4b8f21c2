import { expect } from "chai";
import { describe, it } from "mocha";
import { DUMP_MARKS, stretches } from "../../../bench/blackout/criu-log.js";
import type { EvenkeelCase } from "../../../bench/blackout/evenkeel.js";
import { expectedChecksum } from "../../../bench/blackout/expected-chunk.js";
import { summariseFloor } from "../../../bench/blackout/floor.js";
import type { PeerCase } from "../../../bench/blackout/peers.js";
import { modesOf, ratiosOf } from "../../../bench/blackout/report.js";
import { spread } from "../../../bench/blackout/statistics.js";
import { readStats } from "../../../executor/engine/docker/criu-stats.js";

const at = (seconds: number) => ({ median: seconds, min: seconds, max: seconds });

function ourCase(sizeMiB: number, gapSeconds: number): EvenkeelCase {
  return {
    sizeMiB,
    mode: "auto",
    modeUsed: "stopcopy",
    runs: 1,
    blackoutSeconds: at(gapSeconds),
    gapSeconds: at(gapSeconds),
    connectionKept: true,
    requests: 1,
    wrongAnswers: 0,
    bytes: {},
    each: [],
  };
}

function peerCase(sizeMiB: number, gapSeconds: number): PeerCase {
  return {
    sizeMiB,
    runs: 1,
    gapSeconds: at(gapSeconds),
    commandSeconds: at(gapSeconds),
    connectionKept: true,
    requests: 1,
    wrongAnswers: 0,
    notes: [],
  };
}

describe("bench:blackout", () => {
  it("takes the middle of an odd number of runs and the mean of the middle two of an even one", () => {
    expect(spread([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3])).to.deep.equal({ median: 2.5, min: 1, max: 4 });
    expect(() => spread([])).to.throw("no runs");
  });

  it("compares each peer with our gap at the peer's own size", () => {
    const floor = summariseFloor([{ checkpointSeconds: 0.1, restoreSeconds: 0.3 }]);
    const ours = [ourCase(64, 0.5), ourCase(1024, 0.6), ourCase(4096, 0.75)];
    const ratios = ratiosOf({ floor, evenkeel: ours, podman: peerCase(1024, 6), docker: peerCase(64, 4) }, "auto");
    expect(ratios.oneGiBToFloor).to.be.closeTo(1.5, 1e-9);
    expect(ratios.fourGiBTo64MiB).to.be.closeTo(1.5, 1e-9);
    expect(ratios.largestToSmallest).to.be.closeTo(1.5, 1e-9);
    expect(ratios.podmanToOurs).to.be.closeTo(10, 1e-9);
    expect(ratios.dockerToOurs).to.be.closeTo(8, 1e-9);
  });

  it("gives no ratio where one side was not measured", () => {
    const ratios = ratiosOf({ floor: null, evenkeel: [ourCase(64, 0.5)], podman: peerCase(1024, 6), docker: null }, "auto");
    expect(ratios).to.deep.equal({
      mode: "auto",
      oneGiBToFloor: null,
      fourGiBTo64MiB: null,
      largestToSmallest: null,
      podmanToOurs: null,
      dockerToOurs: null,
    });
  });

  it("puts the mode first that is gone the shortest at the peers' size", () => {
    const measured = [
      ourCase(64, 0.4),
      ourCase(1024, 5),
      { ...ourCase(64, 0.5), mode: "postcopy" },
      { ...ourCase(1024, 0.6), mode: "postcopy" },
    ];
    expect(modesOf(measured, 1024)).to.deep.equal(["postcopy", "auto"]);
    expect(modesOf([], 1024)).to.deep.equal([]);
    expect(ratiosOf({ floor: null, evenkeel: measured, podman: peerCase(1024, 6), docker: null }, "postcopy").podmanToOurs).to.equal(10);
  });

  it("expects another checksum of a chunk once it has been rewritten, and of its neighbour", () => {
    const [chunks, chunk] = [16, 3];
    expect(expectedChecksum(chunk, chunks, chunk)).to.equal(expectedChecksum(chunk, chunks, 0));
    expect(expectedChecksum(chunk, chunks, chunk + 1)).not.to.equal(expectedChecksum(chunk, chunks, 0));
    expect(expectedChecksum(chunk, chunks, 0)).not.to.equal(expectedChecksum(chunk + 1, chunks, 0));
  });

  it("reads CRIU's own count of a dump from its stats image", () => {
    const magic = [0x40, 0x59, 0x10, 0x55, 0x64, 0x4d, 0x10, 0x57];
    const message = [0x08, 0x90, 0x4e, 0x10, 0xc0, 0x84, 0x3d, 0x28, 0x80, 0x80, 0x01, 0x38, 0xff, 0x01];
    const image = Buffer.from([...magic, message.length + 2, 0, 0, 0, 0x0a, message.length, ...message]);
    expect(readStats(image)).to.deep.equal({ freezingSeconds: 0.01, frozenSeconds: 1, pagesScanned: 16384, pagesWritten: 255 });
    expect(readStats(Buffer.alloc(0))).to.deep.equal({});
  });

  it("reads the stretches of a dump from CRIU's time stamps", () => {
    const log = [
      "(00.001000) Running pre-dump scripts",
      "(00.001100) \t[/opt/evenkeel/executor/shim/criu-action]",
      "(00.004000) freezing cgroup /sys/fs/cgroup/freezer/docker/x: 100 x 100ms attempts, timeout: 10s",
      "(00.104000) net: Lock network",
      "(00.104100) Running network-lock scripts",
      "(00.104200) \tRPC",
      "(00.104300) \t[/opt/evenkeel/executor/shim/criu-action]",
      "(00.110000) RPC NOTIFY query-ext-files: no `opts` returned.",
      "pie: 1: Daemon waits for command",
      "(00.111000) type proc source proc",
      "(00.120000) Dumping pages (type: 59 pid: 601)",
      "(00.170000) Dumping core (pid: 601)",
      "(00.200000) Dumping 1(601)'s namespaces",
      "(00.230000) Running post-dump scripts",
    ].join("\n");
    const seconds = stretches(log, DUMP_MARKS);
    expect([...seconds.keys()]).to.deep.equal(DUMP_MARKS.slice(0, -1).map((mark) => mark.what));
    expect(seconds.get("stop every thread")).to.be.closeTo(0.1, 1e-9);
    expect(seconds.get("lock the network")).to.be.closeTo(0.007, 1e-9);
    expect(seconds.get("write memory to tmpfs")).to.be.closeTo(0.05, 1e-9);
  });
});
