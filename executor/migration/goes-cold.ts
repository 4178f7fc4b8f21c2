import type { Finding, FindingCode } from "../../platform/findings.js";

/** What only CRIU minds: a program that is stopped and started again loses it anyhow, and needs no images. */
export const CRIU_ALONE: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "tty",
  "io-uring",
  "kernel-object",
  "inotify",
  "deleted-file",
  "file-identity",
  "init-differs",
  "unix-socket-external",
  "nested-namespace",
  "nested-cgroup",
  "pids-short",
  "traced",
  "network-changed",
  "exec-session",
  "stray-process",
  "masked-path-missing",
  "beyond-limit",
  "tmpfs-short",
  "cpu-features",
  "criu-missing",
  "criu-broken",
  "criu-config",
  "criu-older",
]);

export interface Wish {
  /** The mode that the record asks for. */
  readonly mode: string;
  /** Whether the workload's owner lets it be stopped. */
  readonly allowsCold: boolean;
}

/**
 * Whether a workload is stopped, moved and started instead of moved as it runs: asked for as the mode, or as the way out when nothing but CRIU
 * stands in the way. Never without its owner's leave.
 */
export function goesCold({ mode, allowsCold }: Wish, blockers: readonly Finding[]): boolean {
  if (!allowsCold) return false;
  return mode === "cold" || (blockers.length > 0 && blockers.every(({ code }) => CRIU_ALONE.has(code)));
}
