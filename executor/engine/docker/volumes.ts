import { posix } from "node:path";
import { type Finding, finding } from "../../../platform/findings.js";
import type { VolumeMount, WorkloadDescription } from "../engine.js";
import type { DockerConfig, Inspection } from "./describe.js";
import { type DockerHost, isConflict, isNotFound } from "./docker-host.js";

/** What the driver local then mounts into a volume is kept elsewhere: by a server, in a folder or on a device of its host, in memory. */
const ELSEWHERE = ["type", "device"] as const;

/** The label by which Docker knows a volume that nobody has named. */
const ANONYMOUS = "com.docker.volume.anonymous";

/** The volumes of a container, each with what it was made with: a volume that a container's start makes has neither options nor labels. */
export async function readVolumes({ docker }: DockerHost, { Mounts }: Pick<Inspection, "Mounts">): Promise<VolumeMount[]> {
  const mounts = Mounts.filter(({ Type }) => Type === "volume");
  return Promise.all(
    mounts.map(async ({ Name: name = "", Driver: driver = "local", Destination: destination, RW }) => {
      const place = { name, driver, destination, isReadOnly: !RW };
      // Those of a plugin do not move, and it may be gone.
      if (driver !== "local") return { ...place, options: {}, labels: {} };
      const { Options, Labels } = await docker.getVolume(name).inspect();
      return { ...place, options: Options ?? {}, labels: Labels ?? {} };
    }),
  );
}

/**
 * Those that a twin is given by their names. Not the anonymous ones that Docker makes for each container of its configuration, where it is run with --rm: Docker
 * removes them with it, which it does with none that has been named to it.
 */
export function volumesToName({ volumes, engineConfig }: Pick<WorkloadDescription, "volumes" | "engineConfig">): readonly VolumeMount[] {
  const { Config, HostConfig } = engineConfig as DockerConfig;
  if (!HostConfig.AutoRemove) return volumes;
  const nameless = (HostConfig.Mounts ?? []).filter(({ Type, Source }) => Type === "volume" && !Source);
  const made = new Set([...Object.keys(Config.Volumes ?? {}), ...nameless.map(({ Target }) => Target)].map(asInspected));
  return volumes.filter(({ labels, destination }) => !(ANONYMOUS in labels && made.has(destination)));
}

/** Docker keeps places as they were written, and tells of mounts without a slash at the end. */
export function asInspected(place: string): string {
  return posix.normalize(place).replace(/(?<=.)\/$/, "");
}

/** Makes those of a twin. */
export async function createVolumes(
  { docker }: DockerHost,
  description: Pick<WorkloadDescription, "volumes" | "engineConfig">,
): Promise<void> {
  // One may be mounted at two places.
  for (const { name, driver, options, labels } of new Map(volumesToName(description).map((each) => [each.name, each])).values())
    await docker.createVolume({ Name: name, Driver: driver, DriverOpts: { ...options }, Labels: { ...labels } });
}

/** What is in them is not the workload's alone to take along, or would not be where its next start looks for it. */
export function elsewhereFindings({ volumes }: Pick<WorkloadDescription, "volumes">): Finding[] {
  return volumes
    .filter(({ driver, options }) => driver === "local" && ELSEWHERE.some((key) => (options[key] ?? "") !== ""))
    .map(({ name, options }) =>
      finding("volume-elsewhere", `Volume ${name} is ${ELSEWHERE.flatMap((key) => options[key] || []).join(" ")}`),
    );
}

/** Removes volumes that nobody needs any more. Returns those that another container uses by now, which stay. Safe to repeat. */
export async function removeVolumes({ docker }: DockerHost, names: readonly string[]): Promise<string[]> {
  const used: string[] = [];
  for (const name of new Set(names)) {
    await docker
      .getVolume(name)
      .remove()
      .catch((error: unknown) => {
        if (isConflict(error)) used.push(`volume ${name}`);
        else if (!isNotFound(error)) throw error;
      });
  }
  return used;
}

/** Which of a workload's volumes are here already. */
export async function volumeFindings({ docker }: DockerHost, { volumes }: Pick<WorkloadDescription, "volumes">): Promise<Finding[]> {
  const { Volumes } = await docker.listVolumes();
  const here = new Set((Volumes ?? []).map(({ Name }) => Name));
  return volumes.filter(({ name }) => here.has(name)).map(({ name }) => finding("volume-taken", `A volume named ${name} is here already`));
}
