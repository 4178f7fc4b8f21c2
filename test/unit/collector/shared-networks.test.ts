import { expect } from "chai";
import type { Container } from "../../../collector/containers.js";
import { groupBySharedNetwork } from "../../../collector/shared-networks.js";
import { CONTAINER } from "./fixtures.js";

const container = (id: string, networkOf: string | null = null, labels: Record<string, string> = {}): Container => ({
  ...CONTAINER,
  id,
  networkOf,
  labels,
});
const groups = (...containers: Container[]) =>
  groupBySharedNetwork(containers).map(({ id, labels }) => `${id}: ${labels["io.evenkeel.group"] ?? "-"}`);

describe("containers that share a network", () => {
  it("are one group, whose name stays when they have moved and have other ids", () => {
    expect(groups(container("web", null, { "io.evenkeel.workload": "shop" }), container("proxy", "web"), container("other"))).to.deep.equal(
      ["web: network of shop", "proxy: network of shop", "other: -"],
    );
    expect(groups(container("web"), container("proxy", "web"))[1]).to.equal("proxy: network of web");
  });

  it("take the group of the one whose network it is, and that of its affinity when it has no other", () => {
    const own = { "io.evenkeel.group": "mine" };
    expect(groups(container("web", null, { "io.evenkeel.group": "shop" }), container("proxy", "web", own))).to.deep.equal([
      "web: shop",
      "proxy: shop",
    ]);
    expect(groups(container("web", null, { "io.evenkeel.affinity": "near" }), container("proxy", "web", own))).to.deep.equal([
      "web: near",
      "proxy: near",
    ]);
  });

  it("keep what their labels say when the one whose network it is does not run", () => {
    expect(groups(container("proxy", "gone", { "io.evenkeel.group": "mine" }))).to.deep.equal(["proxy: mine"]);
  });
});
