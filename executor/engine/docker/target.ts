import { once } from "node:events";
import { finished } from "node:stream";
import { EvenkeelError } from "../../../platform/errors.js";
import type { TargetEngine } from "../engine.js";
import { emptyFolders, makeFolders, movingFolders } from "./bind-mounts.js";
import { MIGRATION_LABEL, toCreateOptions } from "./create-options.js";
import { type DockerConfig, type Inspection, inspect, treesOf } from "./describe.js";
import { type DockerHost, isNotFound } from "./docker-host.js";
import { waitForPages } from "./lazy-pages.js";
import { abandonRestore, preparePendingRestore, restoreContainer, resumeRestore } from "./restore-session.js";
import { startCold } from "./start-cold.js";
import { prepareStart, type StartRequest } from "./start-request.js";
import { targetFindings } from "./target-findings.js";

/** The half of the Docker engine that a workload comes to. */
export function makeDockerTarget(host: DockerHost): TargetEngine {
  const hasImage = async (reference: string, imageId: string): Promise<boolean> => {
    try {
      return ((await host.docker.getImage(reference).inspect()) as { Id: string }).Id === imageId;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  const starts = new Map<string, StartRequest>();
  const forgetStart = (containerId: string) => {
    starts.get(containerId)?.cancel();
    starts.delete(containerId);
  };
  return {
    findings: async (description, needs) =>
      targetFindings(host, description, needs, await hasImage(description.imageId, description.imageId)),
    hasImage: (imageId) => hasImage(imageId, imageId),
    loadImage: async (stream, imageName, imageId) => {
      // Without the signal Docker would wait for ever for the rest of a stream that has broken.
      const broken = new AbortController();
      const watch = finished(stream, { writable: false }, (error) => {
        if (error) broken.abort(error);
      });
      try {
        const progress = await host.docker.loadImage(stream, { abortSignal: broken.signal });
        progress.resume();
        await once(progress, "end", { signal: broken.signal });
      } catch (error) {
        throw broken.signal.aborted
          ? new EvenkeelError("TRANSFER_FAILED", `${imageName} did not arrive whole: ${String(broken.signal.reason)}`)
          : error;
      } finally {
        watch();
      }
      if (!(await hasImage(imageId, imageId))) {
        throw new EvenkeelError("IMAGE_UNAVAILABLE", `${imageName} was sent, yet ${imageId.slice(0, 19)} is not here`);
      }
    },
    create: async (description, migrationId) => {
      const options = toCreateOptions(description, migrationId);
      // The name, where it means the same image here: `docker ps` then shows what it showed before.
      if (await hasImage(description.imageName, description.imageId)) options.Image = description.imageName;
      await makeFolders(description.folders);
      const container = await host.docker.createContainer(options);
      return { containerId: container.id, trees: await treesOf(host, await inspect(host, container.id)) };
    },
    findTwin: async (migrationId) => {
      const twins = await host.docker.listContainers({ all: true, filters: { label: [`${MIGRATION_LABEL}=${migrationId}`] } });
      return twins[0] === undefined ? null : { containerId: twins[0].Id, isRunning: twins[0].State === "running" };
    },
    prepareRestore: async (containerId, folder) => {
      await preparePendingRestore(folder);
      starts.set(containerId, prepareStart(host.socketPath, containerId));
    },
    restore: (containerId, folder, decision) =>
      restoreContainer(host, containerId, folder, decision, starts.get(containerId) ?? prepareStart(host.socketPath, containerId)),
    startCold: async (containerId, folder, commit) => {
      forgetStart(containerId);
      return startCold(host, containerId, folder, commit);
    },
    finish: async (description, containerId, folder) => {
      forgetStart(containerId);
      await waitForPages(folder);
      const { HostConfig } = description.engineConfig as DockerConfig;
      await host.docker.getContainer(containerId).update({ RestartPolicy: HostConfig.RestartPolicy ?? { Name: "no" } });
    },
    resumeRestore: (containerId, folder) => resumeRestore(host, containerId, folder),
    remove: async (containerId, folder) => {
      forgetStart(containerId);
      const abandoned = abandonRestore(folder);
      await removeTwin(host, containerId).finally(() => abandoned.close());
    },
  };
}

async function removeTwin(host: DockerHost, containerId: string): Promise<void> {
  const ignoreMissing = (error: unknown) => {
    if (!isNotFound(error)) throw error;
  };
  const seen = await host.docker.getContainer(containerId).inspect().catch(ignoreMissing);
  if (seen === undefined) return;
  await host.docker.getContainer(containerId).remove({ force: true, v: true }).catch(ignoreMissing);
  await emptyFolders(movingFolders(seen as unknown as Inspection));
  // Preflight refuses a volume that is there already, so these are the twin's own.
  for (const mount of seen.Mounts) {
    if (mount.Type === "volume" && mount.Name !== undefined) await host.docker.getVolume(mount.Name).remove().catch(ignoreMissing);
  }
}
