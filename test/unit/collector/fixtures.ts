import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container } from "../../../collector/containers.js";
import { projectPath } from "../../../platform/paths.js";

/**
 * `plain-host`: files of a hybrid cgroup host, captured from Linux 6.18. `v1-node`: the same machine seen from a cgroup and mount
 * namespace with a quota of 2 CPUs and 512 MiB, one container in it, captured too. `v2-node`: an LXC container of 1.5 CPUs and 1 GiB
 * on a v2-only host, written after the kernel's documentation.
 */
export type Fixture = "plain-host" | "v1-node" | "v2-node";

export function fixturePath(name: Fixture): string {
  return projectPath(`test/unit/collector/fixtures/${name}`);
}

/** A copy that the test may change; gone after `work`. */
export async function withCopyOf(name: Fixture, work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "evenkeel-fixture-"));
  try {
    await cp(fixturePath(name), root, { recursive: true });
    await work(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The container of both nodes. */
export const CONTAINER: Container = {
  id: "3f4a9c1e7b2d5f60819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70",
  name: "web",
  image: "nginx:1",
  state: "running",
  pid: 4242,
  startedAt: 1_700_000_000,
  networkOf: null,
  ipcOf: null,
  networks: ["bridge", "shop"],
  volumes: [],
  boundBy: [],
  labels: { "io.evenkeel.workload": "shop-web", "com.example.owner": "someone" },
};
