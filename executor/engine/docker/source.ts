import { asEvenkeelError, EvenkeelError } from "../../../platform/errors.js";
import type { SourceEngine, WorkloadDescription } from "../engine.js";
import { emptyFolders } from "./bind-mounts.js";
import { resumeCheckpoint, startCheckpoint } from "./checkpoint.js";
import { resumeColdCheckpoint, startColdCheckpoint } from "./cold-checkpoint.js";
import { type DockerConfig, describeContainer, inspect, treesOf } from "./describe.js";
import { type DockerHost, isNotFound } from "./docker-host.js";
import { findFreezer, thaw } from "./freezer.js";
import { whyNotLazy } from "./lazy-pages.js";
import { readNeeds } from "./needs.js";
import { announceInside, speakAgain } from "./network-silence.js";
import { startPreDump, whyNoDirtyTracking } from "./pre-dump.js";
import { sourceFindings } from "./source-findings.js";

/** The half of the Docker engine that a workload leaves. */
export function makeDockerSource(host: DockerHost): SourceEngine {
  const container = (description: WorkloadDescription) => host.docker.getContainer(description.containerId);
  return {
    describe: (containerId) => describeContainer(host, containerId),
    findings: (description) => sourceFindings(host, description),
    needs: (description) => readNeeds(host, description),
    trees: async (description) => treesOf(host, await inspect(host, description.containerId)),
    saveImage: (imageId, imageName) => host.docker.getImage(imageName === "" ? imageId : imageName).get(),
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
    whyNotLazy,
    coldCheckpoint: (description, folder) => startColdCheckpoint(host, description, folder),
    resumeCheckpoint: async (folder) => (await resumeColdCheckpoint(host, folder)) ?? resumeCheckpoint(folder),
    revive: async (description) => {
      const found = await inspect(host, description.containerId).catch(unlessRemoved);
      // Somebody has removed it meanwhile: nobody waits for it.
      if (found === undefined) return;
      const { State } = found;
      if (!State.Running) {
        // Its memory is lost, yet a fresh start serves its users better than nothing.
        await container(description).start();
        throw new EvenkeelError("CHECKPOINT_FAILED", `${description.name} died in its checkpoint and was started anew, without its memory`);
      }
      // The script that started CRIU has done so, unless it was killed.
      await thaw(await findFreezer(State.Pid));
      await speakAgain(State.Pid);
      await announceInside(
        State.Pid,
        description.networks.map((network) => network.ipv4Address).filter((address) => address !== ""),
      );
    },
    removeSource: async (description) => {
      await container(description).remove({ force: true, v: true }).catch(unlessRemoved);
      await emptyFolders(description.folders);
      for (const volume of description.volumes) {
        await host.docker.getVolume(volume.name).remove().catch(unlessRemoved);
      }
    },
  };
}

function unlessRemoved(error: unknown): undefined {
  if (isNotFound(error) || asEvenkeelError(error).code === "WORKLOAD_NOT_FOUND") return undefined;
  throw error;
}
