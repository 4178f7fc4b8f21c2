/** The Debian release nodes run: the first with a CRIU (4.2) that works on current kernels, and Docker 28. */
export const SUITE = "forky";

/** What a lab node, the control machine and the clients need; nothing is installed on the host. */
export const LAB_PACKAGES: readonly string[] = [
  "criu",
  "runc",
  "docker.io",
  "docker-cli",
  "docker-compose",
  "containerd",
  "iproute2",
  "nftables",
  "iptables",
  "procps",
  "rsync",
  "zstd",
  "nodejs",
  "redis-server",
  "prometheus",
  "nginx-light",
  "python3",
  "tcpdump",
  "iputils-ping",
  "iputils-arping",
  "ca-certificates",
  "busybox-static",
  "util-linux",
  "kmod",
  "socat",
];
