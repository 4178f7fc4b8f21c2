import type Docker from "dockerode";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { isConfined } from "../../../lab/sysctls.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { FIRST, SECOND } from "./moving-fleet.js";

export const NAME = "candidate";
export const BASE: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: NAME,
  address: "10.77.0.150",
  macAddress: "02:45:4b:00:00:96",
};

export interface Obstacle {
  readonly title: string;
  readonly code: string;
  /** How the container differs from one that could be moved. */
  readonly container?: (base: Docker.ContainerCreateOptions) => Docker.ContainerCreateOptions;
  /** What else is there. Returns how to take it away. `shell` runs a script on a node. */
  readonly prepare?: (first: Docker, second: Docker, shell: Shell) => Promise<() => Promise<unknown>>;
}

export type Shell = (node: string, script: string) => Promise<string>;

export const host = (changes: Docker.HostConfig) => (base: Docker.ContainerCreateOptions) => ({
  ...base,
  HostConfig: { ...base.HostConfig, ...changes },
});
/** With user namespaces Docker shares others of the host's only with containers that are left out of them. */
export const SHARING = isConfined() ? { UsernsMode: "host" } : {};
export const withoutNetwork = (base: Docker.ContainerCreateOptions) => ({ ...base, NetworkingConfig: {} });

export const idle = (name: string, changes: Docker.ContainerCreateOptions = {}): Docker.ContainerCreateOptions => ({
  name,
  Image: BASE.image,
  Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
  HostConfig: { NetworkMode: "none" },
  ...changes,
});

const OWN = "/srv/own";
/** A folder or file of its host that its label lets move with it. */
const taking = (path: string) => (base: Docker.ContainerCreateOptions) =>
  host({ Binds: [`${path}:/host`] })({ ...base, Labels: { ...base.Labels, "io.evenkeel.bind-mounts": path } });

export async function started(docker: Docker, options: Docker.ContainerCreateOptions): Promise<() => Promise<unknown>> {
  const container = await docker.createContainer(options);
  await container.start();
  return () => container.remove({ force: true, v: true });
}

export const OBSTACLES: readonly Obstacle[] = [
  { title: "has a terminal", code: "tty", container: (base) => ({ ...base, Tty: true }) },
  { title: "mounts a folder of its host", code: "bind-mount", container: host({ Binds: ["/srv:/host"] }) },
  {
    title: "reads a file of its host that is another at the destination",
    code: "bind-mount-differs",
    container: host({ Binds: ["/var/lib/docker/engine-id:/host-id:ro"] }),
  },
  {
    title: "reads a socket of its host",
    code: "bind-mount",
    container: host({ Binds: ["/var/run/docker.sock:/host.sock:ro"] }),
  },
  {
    title: "would take a file of its host along",
    code: "bind-mount-unfit",
    prepare: async (_first, _second, shell) => {
      await shell(FIRST, "touch /srv/one-file");
      return () => shell(FIRST, "rm /srv/one-file");
    },
    container: taking("/srv/one-file"),
  },
  { title: "would take a folder of its host's system along", code: "bind-mount-unfit", container: taking("/etc/apt") },
  {
    title: "would take a folder along in which another file system is mounted",
    code: "bind-mount-mounts",
    prepare: async (_first, _second, shell) => {
      await shell(FIRST, `mkdir -p ${OWN}/inner && mount -t tmpfs none ${OWN}/inner`);
      return () => shell(FIRST, `umount ${OWN}/inner && rm -r ${OWN}`);
    },
    container: taking(OWN),
  },
  {
    title: "would take a folder along of which another container uses a part",
    code: "bind-mount-shared",
    prepare: async (first, _second, shell) => {
      await shell(FIRST, `mkdir -p ${OWN}/part`);
      const undo = await started(first, idle("other", { HostConfig: { NetworkMode: "none", Binds: [`${OWN}/part:/part:ro`] } }));
      return () => undo().then(() => shell(FIRST, `rm -r ${OWN}`));
    },
    container: taking(OWN),
  },
  {
    title: "would take a folder along that holds something at the destination already",
    code: "bind-mount-taken",
    prepare: async (_first, _second, shell) => {
      await shell(FIRST, `mkdir -p ${OWN}`);
      await shell(SECOND, `mkdir -p ${OWN} && touch ${OWN}/theirs`);
      return () => Promise.all([FIRST, SECOND].map((node) => shell(node, `rm -r ${OWN}`)));
    },
    container: taking(OWN),
  },
  { title: "has hardly room for another process", code: "pids-short", container: host({ PidsLimit: 12 }) },
  { title: "is run by another runtime", code: "runtime-other", container: host({ Runtime: "other" }) },
  {
    title: "uses a device of its host",
    code: "device",
    container: host({ Devices: [{ PathOnHost: "/dev/full", PathInContainer: "/dev/full", CgroupPermissions: "r" }] }),
  },
  {
    title: "shares its host's network",
    code: "host-NetworkMode",
    container: (base) => withoutNetwork(host({ ...SHARING, NetworkMode: "host" })(base)),
  },
  { title: "shares its host's processes", code: "host-PidMode", container: host({ ...SHARING, PidMode: "host" }) },
  { title: "shares its host's shared memory", code: "host-IpcMode", container: host({ ...SHARING, IpcMode: "host" }) },
  { title: "shares its host's name", code: "host-UTSMode", container: host({ ...SHARING, UTSMode: "host" }) },
  {
    title: "shares the network of another container",
    code: "shared-namespace",
    prepare: (first) => started(first, idle("other")),
    container: (base) => withoutNetwork(host({ NetworkMode: "container:other" })(base)),
  },
  {
    title: "shares its host's network by way of another container",
    code: "host-NetworkMode",
    prepare: (first) => started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "host" } })),
    container: (base) => withoutNetwork(host({ ...SHARING, NetworkMode: "container:other" })(base)),
  },
  {
    title: "has joined the network of one that has joined another's",
    code: "shared-namespace",
    prepare: async (first) => {
      const undo = await started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none" } }));
      const undoBetween = await started(first, idle("between", { HostConfig: { ...SHARING, NetworkMode: "container:other" } }));
      return () => undoBetween().then(undo);
    },
    container: (base) => withoutNetwork(host({ ...SHARING, NetworkMode: "container:between" })(base)),
  },
  {
    title: "has joined the IPC namespace of another container, and with it a user namespace",
    code: "shared-namespace",
    prepare: (first) => started(first, idle("other", { HostConfig: { NetworkMode: "none", IpcMode: "shareable" } })),
    container: host({ IpcMode: "container:other" }),
  },
  {
    title: "shares its host's shared memory by way of another container",
    code: "host-IpcMode",
    prepare: (first) => started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none", IpcMode: "host" } })),
    container: host({ ...SHARING, IpcMode: "container:other" }),
  },
  {
    title: "has joined the IPC namespace of one that has joined another's",
    code: "shared-namespace",
    prepare: async (first) => {
      const undo = await started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none", IpcMode: "shareable" } }));
      const between = { ...SHARING, NetworkMode: "none", IpcMode: "container:other" };
      const undoBetween = await started(first, idle("between", { HostConfig: between }));
      return () => undoBetween().then(undo);
    },
    container: host({ ...SHARING, IpcMode: "container:between" }),
  },
  {
    title: "has an address that only its host knows",
    code: "network-driver",
    container: (base) => withoutNetwork(host({ NetworkMode: "bridge" })(base)),
  },
  {
    title: "shares a volume",
    code: "volume-shared",
    prepare: (first) => started(first, idle("other", { HostConfig: { NetworkMode: "none", Binds: ["shared-data:/data"] } })),
    container: host({ Binds: ["shared-data:/data"] }),
  },
  {
    title: "has a volume that is a mount of what is kept elsewhere",
    code: "volume-elsewhere",
    prepare: async (first) => {
      await first.createVolume({ Name: "far-data", DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" } });
      return () => first.getVolume("far-data").remove();
    },
    container: host({ Binds: ["far-data:/data"] }),
  },
  {
    title: "has a volume whose name is taken at the destination",
    code: "volume-taken",
    prepare: async (_first, second) => {
      await second.createVolume({ Name: "taken-data" });
      return () => second.getVolume("taken-data").remove();
    },
    container: host({ Binds: ["taken-data:/data"] }),
  },
  {
    title: "has a name that is taken at the destination",
    code: "name-taken",
    prepare: async (_first, second) => {
      const container = await second.createContainer(idle(NAME));
      return () => container.remove();
    },
  },
  {
    title: "has an address that is taken at the destination",
    code: "address-taken",
    prepare: (_first, second) =>
      started(
        second,
        idle("other", {
          HostConfig: { NetworkMode: FLEET_NETWORK },
          NetworkingConfig: { EndpointsConfig: { [FLEET_NETWORK]: { IPAMConfig: { IPv4Address: BASE.address } } } },
        }),
      ),
  },
];
