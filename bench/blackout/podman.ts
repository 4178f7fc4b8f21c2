import type { LabNode } from "../../lab/docker-host.js";
import { HOLDER_IMAGE, holderCommand } from "./holder.js";
import { IMAGE_PATH, type PeerTool } from "./peers.js";

const NAME = "holder";
/** Both on one machine: nothing has to cross a network, which is to podman's advantage. */
const STORES = ["left", "right"] as const;
type Store = (typeof STORES)[number];

/** podman's way to another host, `container checkpoint --export` and `container restore --import`, between two stores. */
export function podmanTool(compression: "zstd" | "none"): PeerTool {
  const archive = "/run/bench-podman.tar";
  const sides = (run: number): [Store, Store] => (run % 2 === 0 ? ["left", "right"] : ["right", "left"]);
  return {
    name: `podman (${compression})`,
    async start(node, sizeMiB) {
      for (const store of STORES) await podman(node, store, ["import", "--quiet", IMAGE_PATH, HOLDER_IMAGE]);
      // The same id on both sides, as a pull from a registry would give.
      const copy = "/run/bench-podman-image.tar";
      await podman(node, "left", ["save", "--quiet", "--output", copy, HOLDER_IMAGE]);
      await podman(node, "right", ["rmi", "--force", HOLDER_IMAGE]);
      await podman(node, "right", ["load", "--quiet", "--input", copy]);
      await node.exec(["rm", copy]);
      await podman(node, "left", ["run", "--detach", "--name", NAME, "--network", "host", HOLDER_IMAGE, ...holderCommand(sizeMiB)]);
    },
    async cycle(node, run) {
      const [from, to] = sides(run);
      await podman(node, from, ["container", "checkpoint", "--compress", compression, "--export", archive, "--tcp-established", NAME]);
      await podman(node, to, ["container", "restore", "--import", archive, "--tcp-established"]);
      return null;
    },
    async tidy(node, run) {
      await podman(node, sides(run)[0], ["rm", "--force", NAME]);
      await node.exec(["rm", "-f", archive]);
    },
    async remove(node) {
      for (const store of STORES) await podman(node, store, ["rm", "--all", "--force"]);
      await node.exec(["rm", "-f", archive]);
    },
  };
}

async function podman(node: LabNode, store: Store, words: readonly string[]): Promise<void> {
  const home = `/var/lib/evenkeel/podman-${store}`;
  const flags = ["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--storage-driver", "overlay"];
  await node.exec(
    ["podman", ...flags, "--root", home, "--runroot", `/run/podman-${store}`, "--tmpdir", `/run/podman-${store}/tmp`, ...words],
    {
      env: { PODMAN_IGNORE_CGROUPSV1_WARNING: "1" },
    },
  );
}
