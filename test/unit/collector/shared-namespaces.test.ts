import { expect } from "chai";
import type { Container } from "../../../collector/containers.js";
import { groupBySharedNamespaces } from "../../../collector/shared-namespaces.js";
import { CONTAINER } from "./fixtures.js";

const container = (id: string, networkOf: string | null = null, labels: Record<string, string> = {}): Container => ({
  ...CONTAINER,
  id,
  networkOf,
  labels,
});
const joiner = (id: string, ipcOf: string, networkOf: string | null = null): Container => ({ ...container(id, networkOf), ipcOf });
const groups = (...containers: Container[]) =>
  groupBySharedNamespaces(containers).map(({ id, labels }) => `${id}: ${labels["io.evenkeel.group"] ?? "-"}`);

describe("containers that share a network or an IPC namespace", () => {
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

  it("are one group when they share an IPC namespace", () => {
    const owner = container("db", null, { "io.evenkeel.workload": "shop" });
    expect(groups(owner, joiner("worker", "db"), joiner("other", "db"), container("web"))).to.deep.equal([
      "db: IPC of shop",
      "worker: IPC of shop",
      "other: IPC of shop",
      "web: -",
    ]);
  });

  it("are one group by way of others too, in whatever order they are listed", () => {
    // The network of one, and the IPC namespace of another that has joined that network.
    const all = [joiner("reader", "app", "pod"), container("app", "pod"), container("pod")];
    expect(groups(...all)).to.deep.equal(["reader: network of pod", "app: network of pod", "pod: network of pod"]);
    expect(groups(...all.reverse())).to.deep.equal(["pod: network of pod", "app: network of pod", "reader: network of pod"]);
    expect(groups(container("one"), container("two"), joiner("both", "one", "two"))).to.deep.equal([
      "one: network of two",
      "two: network of two",
      "both: network of two",
    ]);
  });

  it("keep what their labels say when the one whose network it is does not run", () => {
    expect(groups(container("proxy", "gone", { "io.evenkeel.group": "mine" }))).to.deep.equal(["proxy: mine"]);
  });
});
