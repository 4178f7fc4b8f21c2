import { mkdir } from "node:fs/promises";
import type { FileTree, OwnerTwins, WorkloadDescription } from "../engine.js";
import { emptyFolders, makeFolders, movingFolders } from "./bind-mounts.js";
import { MIGRATION_LABEL, toCreateOptions } from "./create-options.js";
import { type DockerConfig, type Inspection, inspect } from "./describe.js";
import { type DockerHost, imageIdOf, isNotFound } from "./docker-host.js";
import { networksWithNewAddress } from "./target-networks.js";
import { logFolderOf, treesOf } from "./trees.js";
import { createVolumes, removeVolumes } from "./volumes.js";

/** Makes the stopped twin of a container, its volumes and folders with it. */
export async function createTwin(
  host: DockerHost,
  description: WorkloadDescription,
  migrationId: string,
  owners: OwnerTwins,
): Promise<{ containerId: string; trees: FileTree[] }> {
  const options = toCreateOptions(description, migrationId, await networksWithNewAddress(host, description), {
    network: owners.network?.containerId ?? null,
    ipc: owners.ipc?.containerId ?? null,
  });
  // The name, where it means the same image here: `docker ps` then shows what it showed before.
  if ((await imageIdOf(host, description.imageName)) === description.imageId) options.Image = description.imageName;
  await makeFolders(description.folders);
  await createVolumes(host, description);
  const container = await host.docker.createContainer(options);
  const seen = await inspect(host, container.id);
  const { Networks } = description.engineConfig as DockerConfig;
  // One that was taken off all of its networks Docker attaches to the first again.
  for (const network of Object.keys(seen.NetworkSettings.Networks).filter((name) => !(name in Networks)))
    await host.docker.getNetwork(network).disconnect({ Container: container.id });
  const logFolder = await logFolderOf(host, seen);
  if (logFolder !== null) await mkdir(logFolder, { recursive: true, mode: 0o700 });
  return { containerId: container.id, trees: await treesOf(host, seen) };
}

/** The twin that was made for a migration; null = none. */
export async function findTwin({ docker }: DockerHost, migrationId: string): Promise<{ containerId: string; isRunning: boolean } | null> {
  const twins = await docker.listContainers({ all: true, filters: { label: [`${MIGRATION_LABEL}=${migrationId}`] } });
  return twins[0] === undefined ? null : { containerId: twins[0].Id, isRunning: twins[0].State === "running" };
}

/** Migrations by which containers came that do not run. */
export async function stoppedTwins({ docker }: DockerHost): Promise<string[]> {
  const twins = await docker.listContainers({ all: true, filters: { label: [MIGRATION_LABEL], status: ["created", "exited"] } });
  return twins.map((each) => each.Labels[MIGRATION_LABEL] ?? "");
}

export async function removeKept(host: DockerHost, { volumes, folders }: Pick<WorkloadDescription, "volumes" | "folders">): Promise<void> {
  await emptyFolders(host, folders);
  await removeVolumes(
    host,
    volumes.map(({ name }) => name),
  );
}

/** A volume that was there already is never taken for a twin: what the twin mounts is its own. */
export async function removeTwin(host: DockerHost, containerId: string, description: WorkloadDescription | null): Promise<void> {
  const ignoreMissing = (error: unknown) => {
    if (!isNotFound(error)) throw error;
  };
  const seen = (await host.docker.getContainer(containerId).inspect().catch(ignoreMissing)) as unknown as Inspection | undefined;
  if (seen !== undefined) await host.docker.getContainer(containerId).remove({ force: true, v: true }).catch(ignoreMissing);
  const mounted = (seen?.Mounts ?? []).flatMap(({ Type, Name }) => (Type === "volume" && Name !== undefined ? [Name] : []));
  await removeVolumes(host, mounted);
  await removeKept(host, {
    volumes: description?.volumes ?? [],
    folders: description?.folders ?? (seen === undefined ? [] : movingFolders(seen)),
  });
}
