import { fails, warns } from "./finding.js";

const SAVED_BY_NOBODY = "CRIU cannot save it. Configure the program not to use it";

/** What about a workload keeps it from being moved, wherever to. */
export const WORKLOAD_FINDINGS = {
  "not-running": fails("The container does not run", "Start or unpause it first."),
  tty: fails("It has a terminal (docker run -t)", "Create it without -t; CRIU cannot carry a terminal to another host."),
  "host-NetworkMode": fails("It shares the host's network", "Give it a network of its own."),
  "host-PidMode": fails("It shares the host's processes", "Create it without --pid host."),
  "host-IpcMode": fails("It shares the host's shared memory", "Create it without --ipc host."),
  "host-UTSMode": fails("It shares the host's name", "Create it without --uts host."),
  "shared-namespace": fails(
    "It shares a namespace with another container in a way that cannot be moved, or with one that does not move with it",
    "A shared network or IPC namespace moves with all that are in it; give it a process namespace of its own.",
  ),
  "shared-file-nameless": fails(
    "A file of a shared /dev/shm is open in more than one container and has lost its name, or is a FIFO: CRIU would make it once for each",
    "Let the programs keep its name while they use it (no shm_unlink); use a socket in place of the FIFO.",
  ),
  "shared-memory-large": fails(
    "The System V memory that others share with it is more than its memory limit, and counts as its own once it is restored",
    "Give the container whose IPC namespace it is a limit that covers it (docker update --memory).",
  ),
  "runtime-other": fails(
    "Another runtime than runc runs it, or keeps its state where Docker does not keep it by itself (`exec-root`, a snap)",
    "Create it with `--runtime runc` or `--runtime evenkeel`, or make that the `default-runtime`: its copy would be without what another does for it.",
  ),
  device: fails("It uses a device or GPU of its host", "Remove --device or --gpus; the state of a device cannot be moved."),
  "bind-mount": fails(
    "It mounts a folder or file of its host, and may write to it, or it cannot be compared with another host's (a socket, a device, more than 64 MiB)",
    "Use a named volume; those move with the workload. Or let the folder itself move: name it in the label `io.evenkeel.bind-mounts`. What it only reads: mount it read-only.",
  ),
  "bind-mount-unfit": fails(
    "The label `io.evenkeel.bind-mounts` names what is no folder of its own, or one that belongs to the system",
    "Only folders of the workload's own data can move away from a host.",
  ),
  "bind-mount-mounts": fails("A folder that should move has another file system mounted in it", "Unmount it, or mount it elsewhere."),
  "bind-mount-shared": fails("A folder that should move is used by another container too", "Give each its own folder."),
  "volume-driver": fails("A volume is kept by a plugin", "Only volumes of the driver local can be moved."),
  "volume-elsewhere": fails(
    "A volume of the driver local is a mount of what is kept elsewhere: on a server (NFS, CIFS), in a folder or on a device of its host, in memory",
    "It would be copied away from there. Data in a folder of its host can move: mount that folder itself and name it in the label `io.evenkeel.bind-mounts`. For memory use --tmpfs.",
  ),
  "volume-shared": fails("A volume is used by another container too", "Give each its own volume."),
  "network-driver": fails(
    "It is on a network that ends at its node, so that its connections cannot follow it",
    "Attach it to a macvlan network, or a bridge with a port into a segment that all nodes share; or allow that its connections are closed: label io.evenkeel.connections=close.",
  ),
  "networks-mixed": fails(
    "It is on a network that ends at its node and on one that does not: some connections would have to be closed and others kept",
    "Take it off one of them (`docker network disconnect`).",
  ),
  "network-changed": fails(
    "It has addresses, routes, interfaces or a firewall of its own making in its network, which CRIU does not save and Docker does not make again",
    "Let Docker do it (`docker network connect`, `--ip`, `--sysctl`); or allow that it is stopped and started, which makes them anew: label io.evenkeel.fallback=cold.",
  ),
  "host-gateway": warns(
    "It knows its host by a name (`host-gateway`), and would find another host by it",
    "Whatever it asks for there has to be on every node; or give it an address that stays.",
  ),
  "connections-closed": warns(
    "Its connections are closed when it moves, as its label allows",
    "Clients have to connect again, to the node where it is then.",
  ),
  "io-uring": fails(
    "A process has io_uring open, which CRIU cannot save",
    "For Node.js set UV_USE_IO_URING=0 in its environment; or set the sysctl kernel.io_uring_disabled=2 before it starts.",
  ),
  "kernel-object": fails("A process has a kernel object open of a kind that CRIU does not know", `${SAVED_BY_NOBODY}.`),
  "device-open": fails(
    "A process has a device of its host open",
    "The state of a device cannot be moved; configure the program not to use it.",
  ),
  inotify: fails(
    "A process watches files of its root file system with inotify or fanotify, and CRIU does not find them again on an overlay",
    "Let it watch a volume, a tmpfs, /etc or /var/log, which CRIU does find; or turn the watching off.",
  ),
  "deleted-file": fails(
    "A process has a deleted file open that is too large to travel in the images",
    "Let the program close it (a log that was rotated away, say), or restart it.",
  ),
  "file-identity": fails(
    "A program knows a file that it has open by what no copy of it shares, its inode number or the time it was made: an SQLite database, a Lucene index",
    "It would take the copy for another file, and refuse to write or lose its locks. Allow that it is stopped and started, which opens them anew: label io.evenkeel.fallback=cold.",
  ),
  "unix-socket-external": fails(
    "A process is connected through a unix socket to one outside the container",
    "Such a connection cannot follow it: use TCP, or run both in one container.",
  ),
  "nested-namespace": fails(
    "A process has pid, user or IPC namespaces of its own inside the container",
    "CRIU cannot save them: run it without, for instance no container engine inside.",
  ),
  traced: fails("A process is being traced (strace, gdb)", "Detach the tracer."),
  "exec-session": fails(
    "A docker exec session runs in it, or a health check that does not end in its time",
    "End that session; it has no place in the tree that is moved.",
  ),
  "stray-process": fails("A process that was not started by the container runs in its namespaces (nsenter)", "End it."),
  "beyond-limit": fails(
    "It has more memory than its limit bears, the rest of it in swap: CRIU would bring that in, and the kernel end it for that",
    "Raise the limit for the move: `docker update --memory`, `--memory-swap`; it takes effect at once. With `io.evenkeel.fallback=cold` it is stopped and started.",
  ),
  "pids-short": fails(
    "It has nearly as many processes and threads as it may (`--pids-limit`), and CRIU and its helpers count among them while it is restored",
    "`docker update --pids-limit` to some twenty more; it takes effect at once.",
  ),
  "nested-cgroup": fails(
    "It has made control groups of its own (version 2), which would be lost: all of it would be in one",
    "Nothing: a systemd, a Docker or a BuildKit in a container stays where it is. With `io.evenkeel.fallback=cold` it is stopped and started.",
  ),
  "path-unmasked": warns(
    "Docker hides a path of /proc or /sys from the container that only the destination's kernel has; there it would be seen",
    "Harmless for most; start the container anew there if it must stay hidden.",
  ),
} as const;

/** What about a destination keeps it from taking a workload. */
export const DESTINATION_FINDINGS = {
  "name-taken": fails("A container with its name is at the destination", "Rename or remove that one."),
  "address-taken": fails("Its address belongs to another container there", "Addresses must be unique in the fleet."),
  "mac-taken": fails("Its MAC address belongs to another container there", "MAC addresses must be unique in the fleet."),
  "network-missing": fails(
    "A network that it is attached to is missing there",
    "Create it with the same name, driver and subnet as on the other nodes.",
  ),
  "network-differs": fails(
    "A network of that name is there, but another one: its subnet, its gateway or its MTU is not that of the workload's, or it leads to no other node",
    "Create it with the same subnet and gateway as on the other nodes, and on an interface of the same MTU.",
  ),
  "segment-apart": fails(
    "The workload is not heard where a network of that name has its end at the destination, or not by a MAC address that is not the node's own, so its clients would not find it there",
    "Let the network's parent, or the port of its bridge, be in the same segment (VLAN) as on the workload's node, and let no switch or hypervisor between them drop addresses that it does not know.",
  ),
  "address-bound": fails(
    "A socket of it is bound to an address that it cannot have there",
    "Let the program listen on 0.0.0.0; or use a user-defined network with the same subnet on every node, in which the address is free.",
  ),
  "port-unavailable": fails("A port that it publishes cannot be opened there", "Free the port there, or publish another."),
  "volume-taken": fails("A volume of that name is there already", "Remove it if its data is not needed, or rename one of them."),
  "bind-mount-taken": fails(
    "A folder of its host that should move with it holds something there already, or another container there uses it",
    "Remove what is there if it is not needed, or use another path.",
  ),
  "bind-mount-differs": fails(
    "What it mounts read-only of its host is not the same there: content, owner or mode",
    "Make it the same on all hosts.",
  ),
  "image-missing": fails(
    "Its image is on neither node, so no copy of the container can be made",
    "Pull or load the image on one of the two.",
  ),
  "memory-short": fails("The destination has too little free memory", "Wait for its other migrations, choose another node, or free some."),
  "tmpfs-short": fails(
    "The images do not fit into `executor.runDirectory` of one of the two nodes",
    "Mount it with a larger `size=`, or free memory.",
  ),
  "disk-short": fails("Docker's disk at the destination has too little room for its files", "Free some, or choose another node."),
  "huge-pages-short": fails("It uses huge pages, and the destination has too few free", "Raise the sysctl vm.nr_hugepages there."),
  "limit-lost": fails(
    "It has a limit that Docker at the destination cannot set: it would be run there without",
    "Give the kernel there the control groups that are missing (`docker info` warns of each); or take the limit away.",
  ),
  "cpus-short": fails(
    "It is given more CPUs than the destination has",
    "Choose a larger node, or `docker update --cpus`, `--cpuset-cpus`.",
  ),
  "kernel-limit-short": fails(
    "It has more of something already than the destination's kernel is set to allow, so it could not be restored",
    "Raise the setting that the message names there (`sysctl`, /etc/sysctl.d).",
  ),
  "ipv6-missing": fails(
    "It has sockets of IPv6, and the destination's kernel was booted without IPv6",
    "Boot it without `ipv6.disable=1` (net.ipv6.conf.all.disable_ipv6=1 does no harm); or let the program listen on 0.0.0.0 alone.",
  ),
  "init-differs": fails(
    "Docker's own init (`--init`) is its first process, and the destination's is another build",
    "Install the same version of Docker on both, from the same packages.",
  ),
  "masked-path-missing": fails(
    "Docker covers a path of /proc or /sys in the container that the destination's kernel does not have, so the cover cannot be restored",
    "Move it to a node of the same kernel and hardware; or create it without that path (`MaskedPaths`, `ReadonlyPaths` of Docker's API).",
  ),
  "differs-security": fails(
    "The container is confined by AppArmor, SELinux or seccomp, and the destination cannot confine it the same way",
    "Enable it there too and load the same profile.",
  ),
} as const;
