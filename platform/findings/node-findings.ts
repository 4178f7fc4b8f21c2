import { fails, warns } from "./finding.js";

/** What can be wrong with one node, whatever runs on it. */
export const NODE_FINDINGS = {
  "executor-silent": fails(
    "The node's executor does not answer",
    "Look at `systemctl status evenkeel-executor` and its log there; it must reach the same Redis as the scheduler.",
  ),
  "collector-silent": fails(
    "The node's collector has not reported lately, so it counts as unknown",
    "Look at `systemctl status evenkeel-collector` and its log there.",
  ),
  "node-js-version": warns(
    "Node.js is older than those that Evenkeel is built and run with",
    "Install Node.js 20.19 or newer of that line, or 22.12 or newer.",
  ),
  docker: fails("Docker does not answer", "Start it, and check `node.dockerSocket`."),
  "docker-version": warns("Docker is older than those Evenkeel has been run with", "Install Docker 28 or newer."),
  "storage-driver": fails(
    "Docker keeps the containers' file systems in a way that does not show what changed in them",
    "Use the storage driver overlay2, or the containerd image store with its snapshotter overlayfs, on every node.",
  ),
  "runtime-missing": fails(
    "Docker does not know the runtime `evenkeel`, or its program is not there",
    'Add {"runtimes": {"evenkeel": {"path": "/opt/evenkeel/executor/shim/evenkeel-runtime"}}} to daemon.json, then `systemctl reload docker`.',
  ),
  rootless: fails("Docker runs without root, and CRIU cannot restore there", "Use an engine that runs as root."),
  "criu-missing": fails("CRIU is not installed, or not in the PATH of the executor", "Install CRIU 4.2 or newer."),
  "criu-broken": fails(
    "CRIU's own check fails",
    "Its words say which kernel feature is missing: load the module, or use a newer CRIU or kernel.",
  ),
  "criu-version": warns(
    "CRIU is older than the one Evenkeel has been run with",
    "Install CRIU 4.2 or newer: 4.1 fails on sockets from Linux 6.16 on.",
  ),
  "criu-config": fails(
    "CRIU's configuration has a line that breaks the protocol of a migration",
    "Remove the line: lazy-pages, leave-running, leave-stopped and auto-dedup would let two copies run or destroy the only one; a network-lock in runc.conf would be opened by nobody. With another action-script the executor does not start.",
  ),
  "runc-missing": fails("runc is not installed, or not in the PATH of the executor", "Install runc 1.3 or newer."),
  "runc-version": warns("runc is older than the one Evenkeel has been run with", "Install runc 1.3 or newer."),
  userfaultfd: warns(
    "The kernel offers no userfaultfd, so all memory is read before a workload resumes",
    "Use a kernel with CONFIG_USERFAULTFD; where root is confined, or Docker remaps users, set the sysctl vm.unprivileged_userfaultfd=1.",
  ),
  "soft-dirty": warns(
    "The kernel does not track dirty pages, so memory cannot be sent ahead of the freeze",
    "Use a kernel with CONFIG_MEM_SOFT_DIRTY, as Debian's are; the other modes work without.",
  ),
  "io-uring-allowed": warns(
    "io_uring may be used here, and CRIU cannot save it: Node.js opens one whenever it may",
    "Set UV_USE_IO_URING=0 in the environment of Node.js workloads, or, from Linux 6.6 on, the sysctl kernel.io_uring_disabled=2, before they start.",
  ),
  "packets-not-held": warns(
    "What is sent to a workload during its blackout cannot be kept here: clients send it again by their own timers, and notice more of the move",
    "Install socat, tc and nft (iproute2, nftables), and load the kernel modules ifb, nft_fwd_netdev, and sch_plug or sch_tbf.",
  ),
  "tool-missing": fails("A program that migrations need is not in the PATH of the executor", "Install it; the message names the package."),
  "zstd-missing": warns(
    "There is no zstd, so nothing is compressed on its way from or to this node, however slow the link",
    "Install zstd.",
  ),
  "run-directory": fails(
    "`executor.runDirectory` is missing or not in memory: each image would pass through a disk during the freeze",
    "Mount a tmpfs there: executor/systemd/run-evenkeel.mount does.",
  ),
  "disk-low": warns(
    "The disk of Docker's folder is nearly full",
    "Make room: a workload that comes brings its files and perhaps its image.",
  ),
  certificate: fails(
    "The node's certificate cannot be used: other executors will refuse it",
    "Issue one for this node's id: `evenkeel certs issue NODE`.",
  ),
  "certificate-expiring": warns(
    "The node's certificate expires soon",
    "Issue a new one: `evenkeel certs issue NODE --force`, copy it, restart the executor.",
  ),
  redis: fails("Redis does not answer", "Check that it runs, that `redis.url` names it, and the password."),
  "redis-evicts": fails("Redis may evict keys, and an evicted record could lose a workload", "Set `maxmemory-policy noeviction`."),
  "redis-forgets": fails(
    "Redis acknowledges writes that a crash can undo: a commit that is forgotten could leave two copies",
    "Set `appendonly yes` and `appendfsync always`.",
  ),
  "redis-unreadable": warns(
    "Redis does not let its settings be read",
    "Check by hand that it has `maxmemory-policy noeviction`, `appendonly yes` and `appendfsync always`.",
  ),
  "clock-skew": warns(
    "The node's clock differs from that of Redis",
    "Synchronise it (chrony, systemd-timesyncd): from 3 s on moves to and from it are refused.",
  ),
} as const;
