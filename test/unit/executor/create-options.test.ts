import { readFileSync } from "node:fs";
import { expect } from "chai";
import type Docker from "dockerode";
import { RUNTIME, toCreateOptions } from "../../../executor/engine/docker/create-options.js";
import { type DockerConfig, describeContainer } from "../../../executor/engine/docker/describe.js";
import type { WorkloadDescription } from "../../../executor/engine/engine.js";
import { projectPath } from "../../../platform/paths.js";

/** As Docker 28.5 inspects a container with limits, two named volumes, an anonymous one, and a fixed address. */
const inspection = JSON.parse(readFileSync(projectPath("test/unit/executor/fixtures/inspect-docker-28.json"), "utf8"));
const ANONYMOUS = inspection.Mounts.find((mount: { Destination: string }) => mount.Destination === "/cache").Name;

/** Answers as the engine did when the fixture was taken. */
const engine = {
  getContainer: () => ({ inspect: async () => inspection }),
  listContainers: async () => [],
  getImage: () => ({ inspect: async () => ({ RepoDigests: [] }) }),
  getVolume: () => ({ inspect: async () => ({ Options: null, Labels: { kept: "yes" } }) }),
  getNetwork: () => ({ inspect: async () => ({ Driver: "macvlan" }) }),
  info: async () => ({
    SecurityOptions: ["name=seccomp,profile=builtin", "name=userns"],
    Driver: "overlay2",
    Architecture: "x86_64",
    DockerRootDir: "/var/lib/docker/100000.100000",
    CgroupVersion: "1",
  }),
} as unknown as Docker;

describe("The twin of a container", () => {
  let description: WorkloadDescription;
  let options: Docker.ContainerCreateOptions;

  before(async () => {
    description = await describeContainer(
      { docker: engine, socketPath: "/nowhere", runtimeRoots: "/nowhere", rootFolder: async () => "/nowhere" },
      inspection.Id,
    );
    options = toCreateOptions(description, "m-1");
  });

  it("is described with its identity, its addresses and its volumes", () => {
    expect(description).to.deep.include({
      workload: "shop-1",
      name: "shop",
      imageId: inspection.Image,
      imageName: "evenkeel-lab/python:1",
      networks: [
        { network: "fleet", driver: "macvlan", ipv4Address: "10.77.0.190", ipv6Address: "", macAddress: "02:45:4b:00:00:be", keeps: true },
      ],
      traits: { userNamespaces: "remapped to 100000.100000", storageDriver: "overlay2", architecture: "x86_64", cgroups: "version 1" },
    });
    expect(description.volumes.map(({ destination }) => destination)).to.have.members(["/data", "/logs", "/cache"]);
    expect(description.volumes[0]).to.deep.include({ options: {}, labels: { kept: "yes" } });
  });

  it("survives the way to the other node as JSON", () => {
    const arrived = JSON.parse(JSON.stringify(description)) as WorkloadDescription;
    expect(JSON.stringify(toCreateOptions(arrived, "m-1"))).to.equal(JSON.stringify(options));
  });

  it("has the same name, host name, command, environment, user and stop signal", () => {
    expect(options.name).to.equal("shop");
    expect(options).to.deep.include({
      Hostname: "shop-host",
      Cmd: inspection.Config.Cmd,
      Env: inspection.Config.Env,
      User: "0",
      WorkingDir: "/srv",
      StopSignal: "SIGINT",
    });
  });

  it("is made from the very image, since a tag may have moved", () => {
    expect(options.Image)
      .to.equal(inspection.Image)
      .and.match(/^sha256:/);
  });

  it("has the same limits, capabilities and temporary file systems", () => {
    for (const field of ["Memory", "NanoCpus", "ShmSize", "CapDrop", "Tmpfs", "LogConfig", "NetworkMode"] as const) {
      expect(options.HostConfig?.[field], field).to.deep.equal(inspection.HostConfig[field]);
    }
    expect(options.HostConfig).to.deep.include({ Memory: 96 << 20, NanoCpus: 500_000_000 });
  });

  it("asks for the same address and MAC", () => {
    const { fleet } = options.NetworkingConfig?.EndpointsConfig ?? {};
    expect(fleet).to.deep.equal({ IPAMConfig: { IPv4Address: "10.77.0.190" }, MacAddress: "02:45:4b:00:00:be", Aliases: ["the-shop"] });
  });

  it("names each volume once, the anonymous one by the name that Docker gave it", () => {
    expect(options.HostConfig?.Binds).to.deep.equal(["shop-data:/data:rw", `${ANONYMOUS}:/cache`]);
    expect(options.HostConfig?.Mounts?.map(({ Target }) => Target)).to.deep.equal(["/logs"]);
  });

  const twinOf = (changes: { readonly [K in keyof DockerConfig]?: Partial<DockerConfig[K]> }) => {
    const config = description.engineConfig as DockerConfig;
    const merged = {
      ...config,
      ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, { ...config[key as "Config"], ...(value as object) }])),
    };
    return toCreateOptions({ ...description, engineConfig: merged }, "m-1");
  };

  it("has an entrypoint that was emptied, which Docker shows as none and would fill from the image", () => {
    expect(twinOf({ Config: { Entrypoint: null } as never }).Entrypoint).to.deep.equal([""]);
    expect(twinOf({ Config: { Entrypoint: ["run"] } }).Entrypoint).to.deep.equal(["run"]);
  });

  it("is linked as it was on a network of the user's", () => {
    const { fleet } = (description.engineConfig as DockerConfig).Networks;
    const linked = twinOf({ Networks: { fleet: { ...fleet, Links: ["db:database"] } } });
    expect(linked.NetworkingConfig?.EndpointsConfig?.["fleet"]).to.deep.include({ Links: ["db:database"] });
  });

  it("has the volumes of another container by their names, and does not ask that one", () => {
    const { volumes } = description;
    const given = { ...volumes[0]!, name: "theirs", destination: "/theirs", isReadOnly: true };
    const options = toCreateOptions({ ...description, volumes: [...volumes, given] }, "m-1");
    expect(options.HostConfig?.Binds).to.include("theirs:/theirs:ro");
    expect(twinOf({ HostConfig: { VolumesFrom: ["gone"] } }).HostConfig?.VolumesFrom).to.deep.equal([]);
  });

  it("has what another container gave it of its host", async () => {
    const given = {
      ...inspection,
      HostConfig: { ...inspection.HostConfig, VolumesFrom: ["config"] },
      Mounts: [...inspection.Mounts, { Type: "bind", Source: "/etc/app", Destination: "/app", RW: false }],
    };
    const docker = { ...engine, getContainer: () => ({ inspect: async () => given }) } as unknown as Docker;
    const described = await describeContainer(
      { docker, socketPath: "/nowhere", runtimeRoots: "/nowhere", rootFolder: async () => "/nowhere" },
      inspection.Id,
    );
    expect(toCreateOptions(described, "m-1").HostConfig?.Binds).to.include("/etc/app:/app:ro");
  });

  it("has a volume that was asked for without a name by the name that it got", () => {
    const { Mounts } = twinOf({ HostConfig: { Mounts: [{ Type: "volume", Target: "/cache/", Source: "" }] as never } }).HostConfig!;
    expect(Mounts).to.deep.equal([{ Type: "volume", Target: "/cache/", Source: ANONYMOUS }]);
  });

  it("leaves volumes without a name to Docker where the container is run with --rm, which removes them with it", () => {
    const volumes = description.volumes.map((each) =>
      each.name === ANONYMOUS ? { ...each, labels: { "com.docker.volume.anonymous": "" } } : each,
    );
    const config = description.engineConfig as DockerConfig;
    const rm = (Volumes: object) => {
      const engineConfig = { ...config, Config: { ...config.Config, Volumes }, HostConfig: { ...config.HostConfig, AutoRemove: true } };
      return toCreateOptions({ ...description, volumes, engineConfig }, "m-1").HostConfig?.Binds;
    };
    expect(rm({ "/cache/": {} })).to.deep.equal(["shop-data:/data:rw"]);
    // One that it had of a container which is gone Docker would not make again.
    expect(rm({})).to.deep.equal(["shop-data:/data:rw", `${ANONYMOUS}:/cache`]);
  });

  it("goes through our runtime and is not restarted before it is proven to run", () => {
    expect(options.HostConfig).to.include({ Runtime: RUNTIME });
    expect(options.HostConfig?.RestartPolicy).to.deep.equal({ Name: "no" });
  });

  it("keeps its labels and says which workload it is and which migration made it", () => {
    expect(options.Labels).to.include({ ...inspection.Config.Labels, "io.evenkeel.workload": "shop-1", "io.evenkeel.migration": "m-1" });
  });

  it("gets its identity from the first container when no label gives one", async () => {
    const unnamed = { ...inspection, Config: { ...inspection.Config, Labels: {} } };
    const docker = { ...engine, getContainer: () => ({ inspect: async () => unnamed }) } as unknown as Docker;
    const described = await describeContainer(
      { docker, socketPath: "/nowhere", runtimeRoots: "/nowhere", rootFolder: async () => "/nowhere" },
      inspection.Id,
    );
    expect(described.workload).to.equal(inspection.Id);
    expect(toCreateOptions(described, "m-1").Labels).to.include({ "io.evenkeel.workload": inspection.Id });
  });

  it("keeps what no inspection of the container alone tells, or Docker would choose anew: an init that its host gives to all, and which network has the default route", () => {
    const config = description.engineConfig as DockerConfig;
    const twinOf = (changes: Partial<DockerConfig>) => toCreateOptions({ ...description, engineConfig: { ...config, ...changes } }, "m-1");
    expect(twinOf({ hasInit: true }).HostConfig?.Init).to.equal(true);
    expect(twinOf({ hasInit: false }).HostConfig?.Init).to.equal(false);
    const Networks = { fleet: { ...config.Networks["fleet"], GwPriority: 7 } };
    expect(twinOf({ Networks }).NetworkingConfig?.EndpointsConfig?.["fleet"]).to.include({ GwPriority: 7 });
  });

  it("joins the network of its owner's twin, and asks for nothing that is the owner's", () => {
    const joined = toCreateOptions(description, "m-1", new Set(), { network: "twin-of-owner", ipc: null });
    expect(joined.HostConfig?.NetworkMode).to.equal("container:twin-of-owner");
    for (const field of ["Hostname", "Domainname", "ExposedPorts"]) expect(joined).to.not.have.property(field);
    expect(joined.Env).to.deep.equal(options.Env);
  });

  it("joins the IPC namespace of its owner's twin, and keeps a network of its own", () => {
    const joined = toCreateOptions(description, "m-1", new Set(), { network: null, ipc: "twin-of-owner" });
    expect(joined.HostConfig).to.deep.equal({ ...options.HostConfig, IpcMode: "container:twin-of-owner" });
    expect(joined.Hostname).to.equal(options.Hostname);
  });

  it("asks for no address where its container had none", async () => {
    const offline = { ...inspection, NetworkSettings: { Networks: { none: { IPAMConfig: null, IPAddress: "", MacAddress: "" } } } };
    const docker = { ...engine, getContainer: () => ({ inspect: async () => offline }) } as unknown as Docker;
    const described = await describeContainer(
      { docker, socketPath: "/nowhere", runtimeRoots: "/nowhere", rootFolder: async () => "/nowhere" },
      inspection.Id,
    );
    expect(toCreateOptions(described, "m-1").NetworkingConfig?.EndpointsConfig).to.deep.equal({ none: {} });
  });
});
