import type { WorkloadDescription } from "../engine.js";
import { type DockerHost, isConflict, isNotFound } from "./docker-host.js";

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

/** Which of a workload's volumes are here already, in words. */
export async function volumesTaken({ docker }: DockerHost, { volumes }: Pick<WorkloadDescription, "volumes">): Promise<string[]> {
  const { Volumes } = await docker.listVolumes();
  const here = new Set((Volumes ?? []).map(({ Name }) => Name));
  return volumes.filter(({ name }) => here.has(name)).map(({ name }) => `A volume named ${name}`);
}
