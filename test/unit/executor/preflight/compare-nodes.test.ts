import { expect } from "chai";
import { compareNodes } from "../../../../executor/preflight/compare-nodes.js";
import { isOlder } from "../../../../executor/preflight/compare-versions.js";
import type { NodeFacts } from "../../../../executor/preflight/node-facts.js";
import { goodNode } from "./facts.js";

const HERE = goodNode({ node: "n2" });
const REDIS = HERE.redis!;
const codes = (source: NodeFacts, destination: NodeFacts) =>
  compareNodes(source, destination).map(({ code, severity }) => `${severity} ${code}`);

describe("Two nodes", () => {
  it("have nothing between them when they are alike", () => {
    expect(codes(goodNode(), HERE)).to.deep.equal([]);
  });

  it("differ in one direction only where one is newer", () => {
    const newer = goodNode({ kernel: "6.18.4", criu: { version: "4.3", trouble: null }, runc: "1.4.0" });
    expect(codes(newer, HERE)).to.deep.equal(["fail criu-older", "warn runc-older", "warn kernel-older"]);
    expect(codes(HERE, newer)).to.deep.equal([]);
  });

  it("do not differ by a release that only repairs", () => {
    const source = goodNode({ kernel: "6.12.90", criu: { version: "4.2.9", trouble: null } });
    expect(codes(source, HERE)).to.deep.equal([]);
  });

  for (const trait of ["architecture", "storageDriver", "userNamespaces", "cgroups"]) {
    it(`cannot exchange workloads when their ${trait} differs`, () => {
      const other = goodNode({ node: "n2" }, { traits: { ...HERE.engine!.traits, [trait]: "another" } });
      expect(codes(goodNode(), other)).to.deep.equal([`fail differs-${trait}`]);
    });
  }

  it("cannot exchange workloads when their executors move things in different ways, one of which may know of no ways", () => {
    const { protocol, ...before } = goodNode({ node: "n3" });
    for (const other of [goodNode({ node: "n3", protocol: protocol! + 1 }), before]) {
      expect(codes(HERE, other)).to.deep.equal(["fail differs-protocol"]);
      expect(codes(other, HERE)).to.deep.equal(["fail differs-protocol"]);
    }
  });

  it("cannot exchange workloads when the destination cannot restore", () => {
    const bare = goodNode({
      criu: { version: null, trouble: null },
      runc: null,
      missingTools: ["nft"],
      criuConfig: ["/etc/criu/runc.conf: lazy-pages"],
    });
    expect(codes(goodNode(), bare)).to.have.members(["fail criu-missing", "fail runc-missing", "fail tool-missing", "fail criu-config"]);
  });

  it("cannot exchange workloads when their clocks are far apart, whatever that of Redis says", () => {
    const early = goodNode({ redis: { ...REDIS, clockOffsetSeconds: -2 } });
    const late = goodNode({ redis: { ...REDIS, clockOffsetSeconds: 2 } });
    expect(codes(early, late)).to.deep.equal(["fail clocks-differ"]);
  });
});

describe("A version", () => {
  it("is compared number by number, not letter by letter", () => {
    expect(isOlder("6.9.1", "6.12")).to.equal(true);
    expect(isOlder("6.12", "6.9.1")).to.equal(false);
    expect(isOlder("6.12.0-amd64", "6.12")).to.equal(false);
    expect(isOlder("4.2", "4.2.1")).to.equal(false);
  });
});
