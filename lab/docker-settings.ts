import { existsSync } from "node:fs";
import { projectPath } from "../platform/paths.js";

const SHIM = "executor/shim/evenkeel-runtime";

export interface DaemonWishes {
  /** Unix sockets on which Docker listens, besides its usual one. Left out: systemd's unit says that, and where containerd is. */
  readonly hosts?: readonly string[];
  readonly isConfined: boolean;
  /** Lines that are to be different. */
  readonly others?: Readonly<Record<string, unknown>>;
}

/** The text of a node's daemon.json. */
export function daemonSettings({ hosts, isConfined, others = {} }: DaemonWishes): string {
  const runtimes = existsSync(projectPath(SHIM))
    ? { runtimes: { evenkeel: { path: `/opt/evenkeel/${SHIM}` } }, "default-runtime": "evenkeel" }
    : {};
  return JSON.stringify(
    {
      ...(hosts === undefined ? {} : { hosts: [...hosts, "unix:///var/run/docker.sock"], containerd: "/run/containerd/containerd.sock" }),
      "storage-driver": "overlay2",
      "live-restore": false,
      experimental: true,
      // Root without CAP_SYS_RESOURCE may not read the limits of another user's process; root of its own user namespace may.
      ...(isConfined ? { "userns-remap": "default" } : {}),
      ...runtimes,
      ...others,
    },
    null,
    2,
  );
}

/** containerd for Docker alone: what it would load for Kubernetes costs a second at each start. */
export const CONTAINERD_SETTINGS = `version = 3
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.internal.v1.tracing", "io.containerd.nri.v1.nri"]
`;
