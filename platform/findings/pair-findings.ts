import { fails, warns } from "./finding.js";

/** What can stand between two nodes, whatever is to be moved. */
export const PAIR_FINDINGS = {
  "peer-unreachable": fails(
    "The source's executor cannot reach the destination's",
    "Check that it runs, that `node.peerHost` names it, and that port 9443 is open between nodes.",
  ),
  "peer-refused": fails("One executor refuses the certificate of the other", "Issue both from the same authority, each for its node's id."),
  "differs-protocol": fails(
    "The two executors are of versions that move things in different ways",
    "Upgrade the one that is behind (docs/installation.md, Upgrading).",
  ),
  "differs-architecture": fails("The two nodes have different CPU architectures", "Move only between nodes of one architecture."),
  "differs-storageDriver": fails("Docker's storage drivers differ", "Set both engines up alike."),
  "differs-userNamespaces": fails(
    "Docker maps users differently on the two nodes, so files and processes would belong to others",
    "Give both engines the same userns-remap, with the same range in /etc/subuid and /etc/subgid.",
  ),
  "differs-cgroups": fails("One node has version 1 of control groups, the other version 2", "Boot both with the same."),
  "cpu-features": fails(
    "The destination's CPU lacks instructions that programs on the source may be using, or saves registers in an area of another size (CRIU's own check)",
    "Move only to the same CPU generation or a newer one; on virtual machines give all the same CPU model.",
  ),
  "cpu-unchecked": warns(
    "CRIU could not compare the two CPUs",
    "Make sure yourself that the destination has all that the source's CPU has.",
  ),
  "criu-older": fails(
    "The destination's CRIU is older than the source's and may not understand its images",
    "Install the same CRIU on both.",
  ),
  "runc-older": warns("The destination's runc is older than the source's", "Install the same runc on both."),
  "kernel-older": warns(
    "The destination's kernel is older: what only the newer one has cannot be restored, and such a move ends before the commit",
    "Run the same kernel on both, or move only towards the newer one.",
  ),
  "kernel-limits-lower": warns(
    "The destination's kernel is set to give programs less of something than the source's: what is enough for one now may be refused it there later",
    "Make the settings that the message names the same on both (`sysctl`, /etc/sysctl.d).",
  ),
  "memory-stays": fails(
    "Memory cannot follow this workload between these two nodes, as its mode `postcopy` wants",
    "Give both CRIU 4.2 or newer and a kernel with userfaultfd, or choose another mode. Memory that processes share since they were forked needs another mode, or a larger limit.",
  ),
  "clocks-differ": fails("The clocks of the two nodes differ", "Synchronise both (chrony, systemd-timesyncd)."),
} as const;
