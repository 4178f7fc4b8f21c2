import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { isConfined } from "../../../lab/sysctls.js";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { tracesOf } from "../support/traces.js";

const NAME = "candidate";
const BASE: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: NAME,
  address: "10.77.0.150",
  macAddress: "02:45:4b:00:00:96",
};

/** Opens io_uring with 8 entries and keeps it; system call 425 on every architecture. */
const RING = [
  "import ctypes, time",
  "ring = ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120))",
  "print('ring', ring, flush=True)",
  "time.sleep(3600)",
].join("\n");

interface Obstacle {
  readonly title: string;
  readonly code: string;
  /** How the container differs from one that could be moved. */
  readonly container?: (base: Docker.ContainerCreateOptions) => Docker.ContainerCreateOptions;
  /** What else is there. Returns how to take it away. */
  readonly prepare?: (first: Docker, second: Docker) => Promise<() => Promise<unknown>>;
}

const host = (changes: Docker.HostConfig) => (base: Docker.ContainerCreateOptions) => ({
  ...base,
  HostConfig: { ...base.HostConfig, ...changes },
});
/** With user namespaces Docker shares others of the host's only with containers that are left out of them. */
const SHARING = isConfined() ? { UsernsMode: "host" } : {};
const withoutNetwork = (base: Docker.ContainerCreateOptions) => ({ ...base, NetworkingConfig: {} });

const idle = (name: string, changes: Docker.ContainerCreateOptions = {}): Docker.ContainerCreateOptions => ({
  name,
  Image: BASE.image,
  Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
  HostConfig: { NetworkMode: "none" },
  ...changes,
});

async function started(docker: Docker, options: Docker.ContainerCreateOptions): Promise<() => Promise<unknown>> {
  const container = await docker.createContainer(options);
  await container.start();
  return () => container.remove({ force: true, v: true });
}

const OBSTACLES: readonly Obstacle[] = [
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
    title: "has joined the IPC namespace of another container",
    code: "shared-namespace",
    prepare: (first) => started(first, idle("other", { HostConfig: { NetworkMode: "none", IpcMode: "shareable" } })),
    container: host({ IpcMode: "container:other" }),
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

describe("A workload that cannot be moved", function () {
  this.timeout(120_000);
  let moving: MovingFleet;
  let first: Docker;
  let second: Docker;

  before(async () => {
    moving = await startMovingFleet("e2e-preflight", [{ ...BASE, name: "seed" }], { asked: [] });
    [first, second] = [moving.fleet.lab.node(FIRST).docker, moving.fleet.lab.node(SECOND).docker];
    // Only the image of it is wanted, on both nodes.
    await moving.moveWell("seed", FIRST, SECOND);
    await second.getContainer("seed").remove({ force: true });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  /** Asks for the move and checks that it is refused for this reason, with nothing of the container touched, on either node. */
  async function isRefused(container: Docker.Container, code: string): Promise<MigrationRecord> {
    const all = async (docker: Docker) => (await docker.listContainers({ all: true })).map(({ Id }) => Id).sort();
    const volumes = async (docker: Docker) => (await docker.listVolumes()).Volumes.map(({ Name }) => Name).sort();
    const look = async () => {
      const { State, HostConfig, RestartCount } = await container.inspect();
      return { State, HostConfig, RestartCount, second: await all(second), volumes: [await volumes(first), await volumes(second)] };
    };
    const before = await look();
    const record = await moving.move(NAME, FIRST, SECOND);
    expect(record).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
    expect(record.errorMessage).to.include(`${code}: `);
    expect(record.timeline.map(({ stage }) => stage)).to.deep.equal(["queued", "preflight"]);
    expect(await look()).to.deep.equal(before);
    expect((await tracesOf(moving.fleet, NAME)).filter((line) => line.includes("/run/evenkeel"))).to.deep.equal([]);
    return record;
  }

  it("is left alone when another has joined its IPC namespace, and told so: shared-namespace", async () => {
    const candidate = await first.createContainer(host({ IpcMode: "shareable" })(toContainerCreateOptions(BASE)));
    await candidate.start();
    const undo = await started(first, idle("other", { HostConfig: { NetworkMode: "none", IpcMode: `container:${NAME}` } }));
    try {
      expect((await isRefused(candidate, "shared-namespace")).errorMessage).to.include("other has joined its IPC namespace");
    } finally {
      await undo();
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when the one whose network it has joined has ended, and told so: shared-namespace", async () => {
    const undo = await started(first, idle("other", { HostConfig: { ...SHARING, NetworkMode: "none" } }));
    const joined = host({ ...SHARING, NetworkMode: "container:other" })(toContainerCreateOptions(BASE));
    const candidate = await first.createContainer(withoutNetwork(joined));
    try {
      await candidate.start();
      await first.getContainer("other").kill();
      expect((await isRefused(candidate, "shared-namespace")).errorMessage).to.include("other, which does not run");
    } finally {
      await candidate.remove({ force: true });
      await undo();
    }
  });

  for (const { title, code, container = (base: Docker.ContainerCreateOptions) => base, prepare } of OBSTACLES) {
    it(`is left alone when it ${title}, and told so: ${code}`, async () => {
      const undo = await prepare?.(first, second);
      const candidate = await first.createContainer(container(toContainerCreateOptions(BASE)));
      try {
        await candidate.start();
        await isRefused(candidate, code);
      } finally {
        await candidate.remove({ force: true, v: true });
        for (const volume of ["shared-data", "taken-data"])
          await first
            .getVolume(volume)
            .remove({ force: true })
            .catch(() => {});
        await undo?.();
      }
    });
  }

  it("is left alone when it is paused, and told so: not-running", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    try {
      await candidate.start();
      await candidate.pause();
      await isRefused(candidate, "not-running");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("is left alone while a `docker exec` is in it, and told so: exec-session", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    try {
      await candidate.start();
      const exec = await candidate.exec({ Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"] });
      await exec.start({ Detach: true });
      await waitFor("the session to run", async () => (await exec.inspect()).Running);
      await isRefused(candidate, "exec-session");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("is left alone when it has io_uring open, and told so: io-uring", async function () {
    const options = toContainerCreateOptions(BASE);
    // Docker's own profile forbids it; who uses it has lifted that.
    const candidate = await first.createContainer(
      host({ SecurityOpt: ["seccomp=unconfined"] })({ ...options, Cmd: ["python3", "-S", "-c", RING] }),
    );
    try {
      await candidate.start();
      const said = await waitFor("the ring", async () =>
        /ring (-?\d+)/.exec((await candidate.logs({ stdout: true, stderr: true })).toString()),
      );
      if (Number(said[1]) < 0) this.skip();
      await isRefused(candidate, "io-uring");
    } finally {
      await candidate.remove({ force: true });
    }
  });

  it("can be moved once nothing stands in the way", async () => {
    const candidate = await first.createContainer(toContainerCreateOptions(BASE));
    await candidate.start();
    await moving.moveWell(NAME, FIRST, SECOND);
    expect(await moving.fleet.whereIs(NAME)).to.equal(SECOND);
  });
});
