import type { SourceEngine, WorkloadDescription } from "../engine.js";
import { emptyFolders } from "./bind-mounts.js";
import { dismissHolder, resumeCheckpoint, startCheckpoint, wasCutOff } from "./checkpoint.js";
import { resumeColdCheckpoint, startColdCheckpoint } from "./cold-checkpoint.js";
import { type DockerConfig, describeContainer, inspect } from "./describe.js";
import { type DockerHost, imageIdOf, isConflict, isNotFound } from "./docker-host.js";
import { findFreezer, thaw } from "./freezer.js";
import { layersOf, layersToLeave, withoutLayers } from "./image-layers.js";
import { readNeeds } from "./needs.js";
import { loadRules } from "./network-rules.js";
import { startPreDump, whyNoDirtyTracking } from "./pre-dump.js";
import { announceInside, resetConnections } from "./revive-network.js";
import { sourceFindings } from "./source-findings.js";
import { readStopSeconds } from "./stop-seconds.js";
import { treesOf } from "./trees.js";
import { removeVolumes } from "./volumes.js";
import { whyNotLazy } from "./why-not-lazy.js";

/** The half of the Docker engine that a workload leaves. */
export function makeDockerSource(host: DockerHost): SourceEngine {
  const container = (description: WorkloadDescription) => host.docker.getContainer(description.containerId);
  return {
    describe: (containerId) => describeContainer(host, containerId),
    findings: (description) => sourceFindings(host, description),
    needs: (description) => readNeeds(host, description),
    trees: async (description) => treesOf(host, await inspect(host, description.containerId)),
    saveImage: async (imageId, imageName, layersThere) => {
      // By its name, so that it has that there too; unless it means another image by now. Without a tag Docker would save all of a repository.
      const named = /:[\w.-]+$/.test(imageName) ? imageName : `${imageName}:latest`;
      const archive = await host.docker.getImage((await imageIdOf(host, named)) === imageId ? named : imageId).get();
      return layersThere === 0 ? archive : withoutLayers(archive, layersToLeave(await layersOf(host, imageId), layersThere));
    },
    holdRestarts: async (description) => {
      await container(description).update({ RestartPolicy: { Name: "no" } });
    },
    releaseRestarts: async (description) => {
      const { HostConfig } = description.engineConfig as DockerConfig;
      if (HostConfig.RestartPolicy === undefined) return;
      await container(description).update({ RestartPolicy: HostConfig.RestartPolicy }).catch(unlessRemoved);
    },
    whyNoPrecopy: whyNoDirtyTracking,
    preDump: (description, folder, round) => startPreDump(host, description, folder, round),
    checkpoint: (description, folder, how) => startCheckpoint(host, description, folder, how),
    whyNotLazy: () => whyNotLazy(host),
    stopSeconds: (description) => readStopSeconds(host, description),
    coldCheckpoint: (description, folder) => startColdCheckpoint(host, description, folder),
    resumeCheckpoint: async (folder) => (await resumeColdCheckpoint(host, folder)) ?? resumeCheckpoint(folder),
    revive: async (description, { wasLetGo }) => {
      const seen = await container(description).inspect().catch(unlessRemoved);
      if (seen === undefined) return true;
      const { State } = seen;
      if (!State.Running) {
        // Its memory is lost, yet a fresh start serves its users better than nothing.
        await container(description).start();
        return false;
      }
      // The script that started CRIU has done so, unless it was killed.
      await thaw(await findFreezer(State.Pid, description.containerId));
      // The script that held it has done so too, where it is still there.
      await loadRules(State.Pid, "speak");
      await announceInside(State.Pid, addressesOf(description));
      // Last: the word of it has to find its way.
      if (wasLetGo) await resetConnections(State.Pid);
      return true;
    },
    announce: async (description) => {
      const seen = await container(description).inspect().catch(unlessRemoved);
      if (seen?.State.Running) await announceInside(seen.State.Pid, addressesOf(description));
    },
    wasLetGo: wasCutOff,
    end: (description) =>
      container(description)
        .kill()
        .then(
          () => true,
          (error: unknown) => {
            // 409: it has ended.
            if (!isNotFound(error) && !isConflict(error)) throw error;
            return isConflict(error);
          },
        ),
    dismissHolder,
    removeSource: async (description) => {
      await container(description).remove({ force: true, v: true }).catch(unlessRemoved);
      const volumes = description.volumes.map(({ name }) => name);
      return [...(await emptyFolders(host, description.folders)), ...(await removeVolumes(host, volumes))];
    },
  };
}

const addressesOf = ({ networks }: WorkloadDescription) =>
  networks.map(({ ipv4Address }) => ipv4Address).filter((address) => address !== "");

/** Whoever removed a container did not want it to go on. */
function unlessRemoved(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
