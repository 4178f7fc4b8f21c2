import type { EngineFacts, NodeFacts } from "../../../../executor/preflight/node-facts.js";

export const NOW = 1_800_000_000;

/** A node with which nothing is wrong. */
export function goodNode(changes: Partial<NodeFacts> = {}, engine: Partial<EngineFacts> = {}): NodeFacts {
  return {
    node: "n1",
    protocol: 2,
    kernel: "6.12.41-amd64",
    architecture: "x86_64",
    criu: { version: "4.2.1", trouble: null },
    criuConfig: [],
    runc: "1.3.6",
    nodeJs: "20.20.2",
    missingTools: [],
    hasZstd: true,
    hasUserfaultfd: true,
    tracksDirtyPages: true,
    ioUring: "off",
    kernelLimits: { "vm.max_map_count": 65_530, "vm.overcommit_memory": 0 },
    packetHold: { means: "plug", reason: "" },
    engine: {
      name: "docker",
      version: "28.5.2",
      storageDriver: "overlay2",
      isRootless: false,
      runtimeTrouble: null,
      traits: { architecture: "x86_64", storageDriver: "overlay2", userNamespaces: "plain", cgroups: "version 2" },
      folder: "/var/lib/docker",
      freeBytes: 50 * 2 ** 30,
      totalBytes: 100 * 2 ** 30,
      ...engine,
    },
    runDirectory: { path: "/run/evenkeel", isThere: true, isInMemory: true, freeBytes: 2 ** 30 },
    certificate: { path: "/etc/evenkeel/tls/node.pem", trouble: null, expiresAt: NOW + 400 * 86_400 },
    redis: { evictionPolicy: "noeviction", appendOnly: "yes", appendFsync: "always", clockOffsetSeconds: 0.001 },
    ...changes,
  };
}
