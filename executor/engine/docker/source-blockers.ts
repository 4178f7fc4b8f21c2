import { readdir, readlink } from "node:fs/promises";
import type { Blocker, WorkloadDescription } from "../engine.js";
import { type DockerConfig, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** What CRIU or the move would trip over, seen on the node where the workload runs. */
export async function sourceBlockers(host: DockerHost, description: WorkloadDescription): Promise<Blocker[]> {
  const seen = await inspect(host, description.containerId);
  const { Config, HostConfig } = description.engineConfig as DockerConfig;
  const blockers: Blocker[] = [];
  const block = (code: string, message: string, hint: string) => blockers.push({ code, message, hint });
  if (seen.State.Status !== "running") block("not-running", `The container is ${seen.State.Status}`, "Start or unpause it first.");
  if (seen.GraphDriver?.Data?.["UpperDir"] === undefined) {
    block(
      "storage-driver",
      `Docker keeps its file system in ${seen.GraphDriver?.Name ?? "the containerd image store"}, which does not show what changed in it`,
      'Set "storage-driver": "overlay2" in daemon.json on every node (Docker 29 needs {"features": {"containerd-snapshotter": false}} too).',
    );
  }
  if (Config.Tty) block("tty", "It has a terminal (docker run -t)", "Create it without -t; CRIU cannot carry a terminal to another host.");
  for (const mode of ["NetworkMode", "PidMode", "IpcMode", "UTSMode"] as const) {
    const value = HostConfig[mode];
    if (value === "host") block(`host-${mode}`, `It shares the host's namespace (${mode} host)`, "Give it a namespace of its own.");
    if (value?.startsWith("container:")) block("shared-namespace", `It shares ${mode} with ${value}`, "Such groups cannot be moved yet.");
  }
  if ((HostConfig.Devices ?? []).length > 0)
    block("device", "It uses devices of this host", "Remove --device; device state cannot be moved.");
  if ((HostConfig.DeviceRequests ?? []).length > 0)
    block("device", "It uses GPUs of this host", "Remove --gpus; device state cannot be moved.");
  for (const mount of seen.Mounts.filter((each) => each.Type === "bind")) {
    block("bind-mount", `It mounts ${mount.Source} of this host`, "Use a named volume; those move with the workload.");
  }
  for (const volume of description.volumes) {
    if (volume.driver !== "local")
      block("volume-driver", `Volume ${volume.name} has driver ${volume.driver}`, "Only local volumes can be moved.");
    const users = await host.docker.listContainers({ all: true, filters: { volume: [volume.name] } });
    const others = users.filter((user) => user.Id !== description.containerId).map((user) => user.Names[0]?.slice(1));
    if (others.length > 0)
      block("volume-shared", `Volume ${volume.name} is also used by ${others.join(", ")}`, "Give each its own volume.");
  }
  for (const network of description.networks) {
    if (network.driver !== "macvlan") {
      block(
        "network-driver",
        `Network ${network.network} has driver ${network.driver}: its addresses do not exist on other nodes`,
        "Attach it to a macvlan network that all nodes share.",
      );
    }
  }
  if (seen.State.Pid > 0 && (await usesIoUring(seen.State.Pid))) {
    block(
      "io-uring",
      "A process has io_uring open, which CRIU cannot save",
      "For Node.js set UV_USE_IO_URING=0 in its environment; or set the sysctl kernel.io_uring_disabled=2 before it starts.",
    );
  }
  if ((seen as unknown as { ExecIDs?: string[] | null }).ExecIDs?.length) {
    block("exec-session", "A docker exec session runs in it", "End that session; it has no place in the tree that is moved.");
  }
  return blockers;
}

async function usesIoUring(initPid: number): Promise<boolean> {
  const own = await readlink(`/proc/${initPid}/ns/pid`).catch(() => "");
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || (await readlink(`/proc/${entry}/ns/pid`).catch(() => "-")) !== own) continue;
    for (const fd of await readdir(`/proc/${entry}/fd`).catch(() => [])) {
      if ((await readlink(`/proc/${entry}/fd/${fd}`).catch(() => "")) === "anon_inode:[io_uring]") return true;
    }
  }
  return false;
}
