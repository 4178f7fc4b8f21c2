import { once } from "node:events";
import { finished } from "node:stream";
import { EvenkeelError } from "../../../platform/errors.js";
import { joinedBy } from "../../../platform/joined-by.js";
import type { MemoryFeeder } from "../../pages/memory-feeder.js";
import type { PageProxyOrders } from "../../pages/pages-protocol.js";
import { startImageFeeder, waitForImageFeeder } from "../../pages/start-image-feeder.js";
import { readPages, startPageProxy, stopPages } from "../../pages/start-page-proxy.js";
import { removeFolder } from "../../remove-folder.js";
import type { TargetEngine } from "../engine.js";
import { type Announcer, openAnnouncer } from "./announce.js";
import { type BegunStart, beginStart } from "./begin-start.js";
import { markConnections } from "./connections.js";
import { type DockerConfig, inspect } from "./describe.js";
import { type DockerHost, imageIdOf } from "./docker-host.js";
import { mayFillBeside } from "./huge-pages.js";
import { countLayersHere } from "./image-layers.js";
import { isOverlayMounted, remountOverlay } from "./overlay.js";
import { makeOwnerStarts, markSharing } from "./owner-starts.js";
import { armHold, dropHold, type HoldMeans, makeOpener, type Opener } from "./packet-hold.js";
import { canTarPlainly } from "./plain-tars.js";
import { pullImage } from "./pull-image.js";
import { releaseRestarts } from "./release-restarts.js";
import { abandonRestore, hasRun, preparePendingRestore, restoreContainer, resumeRestore } from "./restore-session.js";
import { endCopy, startAgain } from "./start-anew.js";
import { startCold } from "./start-cold.js";
import { prepareStart, type StartRequest } from "./start-request.js";
import { takenFindings, targetFindings } from "./target-findings.js";
import { createTwin, findTwin, removeKept, removeTwin, stoppedTwins } from "./twin.js";
import { uplinksOf } from "./uplinks.js";
import { whyNotLazy } from "./why-not-lazy.js";

/** The twins whose namespaces a twin joins, that of its IPC namespace among them, and whether others join its own. */
interface Sharing {
  readonly owners: readonly string[];
  readonly ipcOwner: string | null;
  readonly sharesNetwork: boolean;
  readonly isJoined: boolean;
}

const BY_ITSELF: Sharing = { owners: [], ipcOwner: null, sharesNetwork: false, isJoined: false };

/** The half of the Docker engine that a workload comes to. */
export function makeDockerTarget(host: DockerHost, pages: Pick<PageProxyOrders, "firstPort" | "tls">, { means }: HoldMeans): TargetEngine {
  const hasImage = async (reference: string, imageId: string) => (await imageIdOf(host, reference)) === imageId;
  const starts = new Map<string, StartRequest>();
  const feeders = new Map<string, MemoryFeeder>();
  const begun = new Map<string, BegunStart & { readonly mergedDir: string }>();
  const begin = (containerId: string, folder: string, descriptors: readonly string[] | null): Promise<BegunStart> => {
    const start = starts.get(containerId) ?? prepareStart(host.socketPath, containerId);
    starts.delete(containerId);
    return beginStart(folder, start, descriptors);
  };
  const forgetStart = (containerId: string) => {
    starts.get(containerId)?.cancel();
    starts.delete(containerId);
  };
  /** Null: there is none, or it has ended before it was needed. */
  const feederOf = (containerId: string) => {
    const feeder = feeders.get(containerId);
    return feeder === undefined || feeder.isGone() ? null : feeder;
  };
  const ownerStarts = makeOwnerStarts();
  const sharings = new Map<string, Sharing>();
  const announcers = new Map<string, Announcer>();
  const openers = new Map<string, Opener>();
  const letGo = async (containerId: string, folder: string) => {
    for (const kept of [announcers, openers]) {
      kept.get(containerId)?.close();
      kept.delete(containerId);
    }
    await dropHold(folder);
  };
  return {
    findings: async (description, needs) =>
      targetFindings(host, description, needs, await hasImage(description.imageId, description.imageId)),
    hasImage: (imageId) => hasImage(imageId, imageId),
    layersHere: (layers) => countLayersHere(host, layers),
    pullImage: async (description) => {
      await pullImage(host, description);
      return hasImage(description.imageId, description.imageId);
    },
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
    taken: (description) => takenFindings(host, description),
    create: (description, migrationId, owners) => createTwin(host, description, migrationId, owners),
    findTwin: (migrationId) => findTwin(host, migrationId),
    stoppedTwins: () => stoppedTwins(host),
    beginRestore: async (description, containerId, folder) => {
      const { GraphDriver, HostConfig } = await inspect(host, containerId);
      // Docker starts it when its owner runs, which is in the freeze.
      if (joinedBy(HostConfig.NetworkMode) !== null || joinedBy(HostConfig.IpcMode) !== null) return;
      const mergedDir = GraphDriver?.Data?.["MergedDir"];
      // Docker removes a container of `--rm` when its start is called off.
      if (mergedDir === undefined || HostConfig.AutoRemove) return;
      const { descriptors = null } = description.engineConfig as DockerConfig;
      const ahead = feederOf(containerId) === null ? null : descriptors;
      // A runc that cannot wait for its images at that point can still do so before.
      const start = await begin(containerId, folder, ahead).catch((error: unknown) => {
        if (ahead === null) throw error;
        return begin(containerId, folder, null);
      });
      // Else what is synchronised in the freeze could not be made to show: Docker mounts it anew then.
      if (await isOverlayMounted(mergedDir)) begun.set(containerId, { ...start, mergedDir });
      else await start.abandon();
    },
    prepareRestore: async (description, containerId, folder, { network, ipc }) => {
      await preparePendingRestore(folder);
      await markConnections(folder, description);
      await markSharing(folder, description.sharedNetwork, network);
      sharings.set(containerId, {
        owners: [network, ipc].flatMap((owner) => owner?.containerId ?? []),
        ipcOwner: ipc?.containerId ?? null,
        sharesNetwork: network !== null || description.sharedNetwork.joiners.length > 0,
        isJoined: [description.sharedNetwork, description.sharedIpc].some(({ joiners }) => joiners.length > 0),
      });
      starts.set(containerId, prepareStart(host.socketPath, containerId));
    },
    hold: async (description, containerId, folder) => {
      const uplinks = await uplinksOf(host, description);
      if (means === null || uplinks.length === 0) return false;
      await armHold(folder, containerId, means, uplinks);
      announcers.set(containerId, openAnnouncer(uplinks));
      openers.set(containerId, makeOpener(containerId, means));
      return true;
    },
    steer: (containerId) => announcers.get(containerId)?.announce(),
    awaitImages: async (containerId, folder) => {
      if ((await whyNotLazy(host)) === null) feeders.set(containerId, startImageFeeder(folder));
    },
    roundArrived: (containerId) => feeders.get(containerId)?.roundArrived?.(),
    imagesArrive: (containerId, { hasPages }) => {
      const feeder = feederOf(containerId);
      // Whoever restores hears of a failure.
      if (hasPages || feeder?.beginsEarly) feeder?.begin().catch(() => {});
    },
    restore: async (containerId, folder, decision) => {
      const { owners, ipcOwner, sharesNetwork, isJoined } = sharings.get(containerId) ?? BY_ITSELF;
      for (const owner of owners) await ownerStarts.wait(owner, "answered");
      const feeder = feederOf(containerId);
      feeders.delete(containerId);
      const early = begun.get(containerId);
      begun.delete(containerId);
      // Whoever was to feed it has ended since: then all of it is read first.
      const isStale = decision.logChanged || (feeder === null && early?.isAhead === true);
      const orAbandon = async (error: unknown): Promise<never> => {
        await early?.abandon();
        throw error;
      };
      const feedMemory = async () => {
        // CRIU would put other bytes in the place of those that are not in the images.
        if (feeder === null && decision.leavesMemory)
          throw new EvenkeelError("RESTORE_FAILED", "its memory cannot follow: whoever was to take it here has ended");
        await feeder?.begin();
        return feeder !== null;
      };
      const done = await restoreContainer(host, containerId, folder, decision, {
        // In a network that they share the sockets of all must be back, which the scripts look to.
        onResuming: () => {
          if (!sharesNetwork) openers.get(containerId)?.open();
        },
        ...(isJoined ? { onAnswered: () => ownerStarts.reached(containerId, "answered") } : {}),
        onPrepared: () => ownerStarts.reached(containerId, "prepared"),
        // An attached segment of System V has to be there before any process is restored.
        othersPrepared: async () => {
          if (ipcOwner !== null) await ownerStarts.wait(ipcOwner, "prepared");
        },
        feedMemory: () => feedMemory().catch(orAbandon),
        begin: async () => {
          // Docker's logger takes the log for as long as it was when the start began: readers would never see what came since, or hang.
          if (isStale) await early?.abandon();
          if (early === undefined || isStale) return begin(containerId, folder, null);
          if (decision.rootChanged) await remountOverlay(early.mergedDir).catch(orAbandon);
          return early;
        },
      });
      // Once more, for a switch that missed the first word.
      announcers.get(containerId)?.announce();
      return done;
    },
    hasRun,
    releaseRestarts: (description, containerId) => releaseRestarts(host, description, containerId),
    whyNotLazy: () => whyNotLazy(host),
    openPages: async (containerId, folder, from) => {
      const proxy = await startPageProxy(folder, { ...from, ...pages });
      feeders.set(containerId, proxy);
      return proxy.port;
    },
    mayFillBeside,
    takesPlainTars: () => canTarPlainly(),
    pages: readPages,
    startAnew: async (description, containerId, folder) => {
      forgetStart(containerId);
      await endCopy(host, containerId);
      // Not before: without CRIU's daemon it would run on with zeros for what is missing.
      await stopPages(folder);
      await letGo(containerId, folder);
      // Without it the runtime starts the container as any other.
      await removeFolder(folder);
      await startAgain(host, containerId);
      await releaseRestarts(host, description, containerId);
    },
    startCold: async (containerId, folder, commit) => {
      forgetStart(containerId);
      feeders.get(containerId)?.cancel();
      feeders.delete(containerId);
      await waitForImageFeeder(folder);
      return startCold(host, containerId, folder, commit);
    },
    finish: async (description, containerId, folder) => {
      forgetStart(containerId);
      sharings.delete(containerId);
      await letGo(containerId, folder);
      await waitForImageFeeder(folder);
      // What is left of one that was killed with its guard.
      await stopPages(folder);
      await releaseRestarts(host, description, containerId);
    },
    resumeRestore: (containerId, folder) => resumeRestore(host, containerId, folder),
    removeKept: (description) => removeKept(host, description),
    remove: async (containerId, folder, description) => {
      forgetStart(containerId);
      sharings.delete(containerId);
      ownerStarts.failed(containerId);
      await letGo(containerId, folder);
      feeders.get(containerId)?.cancel();
      feeders.delete(containerId);
      await begun.get(containerId)?.abandon();
      begun.delete(containerId);
      const abandoned = abandonRestore(folder);
      await removeTwin(host, containerId, description).finally(() => abandoned.close());
      await stopPages(folder);
    },
  };
}
