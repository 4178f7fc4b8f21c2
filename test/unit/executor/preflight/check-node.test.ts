import { expect } from "chai";
import { checkNode } from "../../../../executor/preflight/check-node.js";
import type { EngineFacts, NodeFacts } from "../../../../executor/preflight/node-facts.js";
import { goodNode, NOW } from "./facts.js";

const troubles = (facts: NodeFacts) =>
  checkNode(facts, NOW).flatMap((check) => (check.status === "ok" ? [] : [`${check.status} ${check.finding.code}`]));

const REDIS = goodNode().redis!;
const CERTIFICATE = goodNode().certificate;

describe("A node by itself", () => {
  it("has nothing wrong with it when everything is as it should be, and each check says what it found", () => {
    expect(troubles(goodNode())).to.deep.equal([]);
    for (const check of checkNode(goodNode(), NOW))
      expect(check.status === "ok" && check.found)
        .to.be.a("string")
        .and.not.equal("");
  });

  const NODE: readonly [string, Partial<NodeFacts>, string][] = [
    ["has no CRIU", { criu: { version: null, trouble: null } }, "fail criu-missing"],
    ["has a CRIU that fails its own check", { criu: { version: "4.2.1", trouble: "no vdso" } }, "fail criu-broken"],
    ["has an old CRIU", { criu: { version: "4.1.1", trouble: null } }, "warn criu-version"],
    ["has a line of an administrator in CRIU's configuration", { criuConfig: ["/etc/criu/default.conf: lazy-pages"] }, "fail criu-config"],
    ["has an old runc", { runc: "1.1.15" }, "warn runc-version"],
    ["runs an old Node.js", { nodeJs: "20.15.1" }, "warn node-js-version"],
    ["runs a Node.js of a line that was dropped", { nodeJs: "21.7.0" }, "warn node-js-version"],
    ["runs an early Node.js 22", { nodeJs: "22.11.0" }, "warn node-js-version"],
    ["has no zstd", { hasZstd: false }, "warn zstd-missing"],
    ["has no runc", { runc: null }, "fail runc-missing"],
    ["lacks programs", { missingTools: ["rsync", "nft"] }, "fail tool-missing"],
    ["has no userfaultfd", { hasUserfaultfd: false }, "warn userfaultfd"],
    ["does not track dirty pages", { tracksDirtyPages: false }, "warn soft-dirty"],
    ["allows io_uring", { ioUring: "allowed" }, "warn io-uring-allowed"],
    ["cannot hold packets", { packetHold: { means: null, reason: "no ifb" } }, "warn packets-not-held"],
    ["cannot reach Docker", { engine: null }, "fail docker"],
    ["keeps images on a disk", { runDirectory: { path: "/srv", isThere: true, isInMemory: false, freeBytes: 1 } }, "fail run-directory"],
    [
      "has no run directory",
      { runDirectory: { path: "/run/evenkeel", isThere: false, isInMemory: false, freeBytes: 0 } },
      "fail run-directory",
    ],
    ["has no certificate", { certificate: { ...CERTIFICATE, trouble: "ENOENT", expiresAt: null } }, "fail certificate"],
    ["has a certificate for some days more", { certificate: { ...CERTIFICATE, expiresAt: NOW + 5 * 86_400 } }, "warn certificate-expiring"],
    ["cannot reach Redis", { redis: null }, "fail redis"],
    ["has a Redis that evicts", { redis: { ...REDIS, evictionPolicy: "allkeys-lru" } }, "fail redis-evicts"],
    ["has a Redis that forgets", { redis: { ...REDIS, appendFsync: "everysec" } }, "fail redis-forgets"],
    ["has a Redis that hides its settings", { redis: { ...REDIS, appendFsync: null } }, "warn redis-unreadable"],
    ["has a clock that is a little off", { redis: { ...REDIS, clockOffsetSeconds: -1 } }, "warn clock-skew"],
    ["has a clock that is far off", { redis: { ...REDIS, clockOffsetSeconds: 90 } }, "fail clock-skew"],
  ];
  for (const [title, changes, expected] of NODE) {
    it(`is told when it ${title}: ${expected}`, () => {
      expect(troubles(goodNode(changes))).to.deep.equal([expected]);
    });
  }

  const ENGINE: readonly [string, Partial<EngineFacts>, string][] = [
    ["keeps file systems otherwise", { storageDriver: "vfs" }, "fail storage-driver"],
    ["runs without root", { isRootless: true }, "fail rootless"],
    ["is old", { version: "26.1.5" }, "warn docker-version"],
    ["does not know our runtime", { runtimeTrouble: "not there" }, "fail runtime-missing"],
    ["has a disk that is nearly full", { freeBytes: 2 ** 30 }, "warn disk-low"],
  ];
  for (const [title, changes, expected] of ENGINE) {
    it(`is told when its Docker ${title}: ${expected}`, () => {
      expect(troubles(goodNode({}, changes))).to.deep.equal([expected]);
    });
  }

  it("runs a Node.js that is new enough, of each line that is", () => {
    for (const nodeJs of ["20.19.0", "22.12.0", "24.1.0"]) expect(troubles(goodNode({ nodeJs }))).to.deep.equal([]);
  });

  it("is not told to set a sysctl that its kernel lacks", () => {
    const facts = goodNode({ kernel: "6.1.0-38-amd64", ioUring: "always allowed" });
    const check = checkNode(facts, NOW).find(({ topic }) => topic === "io_uring");
    expect(check?.status === "warn" && check.finding.message).to.equal("Linux 6.1.0-38-amd64 has no setting that switches it off");
  });

  it("names every program that is missing, with its package", () => {
    const check = checkNode(goodNode({ missingTools: ["nft", "arping"] }), NOW).find(({ topic }) => topic === "programs");
    expect(check?.status === "fail" && check.finding.message).to.equal("nft (package nftables); arping (package iputils-arping)");
  });
});
