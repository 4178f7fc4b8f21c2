import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { default as Docker, GetEventsOptions } from "dockerode";
import type { Logger } from "../platform/log.js";
import { type Container, listContainers, listNetworks } from "./containers.js";

export type ContainersNow =
  | { readonly known: true; readonly containers: readonly Container[]; readonly endedNames: readonly string[] }
  | { readonly known: false; readonly because: string };

/** Keeps the list of running containers true with Docker's events, so that no sample has to ask the engine. */
export interface ContainerWatch {
  /**
   * Waits for a list that is being renewed; never gives one that events before the call have overtaken. Those after it are for the next call:
   * where something starts or ends all the time, no list would ever do.
   */
  current(): Promise<ContainersNow>;
  /** Names of the node's networks as they were at the last renewal; null = Docker has not told. */
  networks(): readonly string[] | null;
  /** To be called when the list was found wrong. */
  renew(): void;
  /** How often the engine has said that a container ran out of memory, by its id, since the watch began. */
  oomEvents(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface WatchTimes {
  /** An engine that has not answered by then is taken for hung. */
  readonly answerSeconds: number;
  /** Lists again this often without any event, in case one was lost. */
  readonly renewSeconds: number;
  readonly retrySeconds: number;
  /** What follows an event within this time is learnt by one list, unless somebody wants it sooner: events come in bursts, and in a migration just when a core is missed. */
  readonly restSeconds: number;
}

export const WATCH_TIMES: WatchTimes = { answerSeconds: 10, renewSeconds: 30, retrySeconds: 1, restSeconds: 0.3 };

/** The events after which the list, a pid or a state differs, of containers … */
const OF_CONTAINERS = ["start", "restart", "die", "destroy", "pause", "unpause", "rename", "update", "oom"];
/** … and those after which networks do, the node's or a container's. */
const OF_NETWORKS = ["create", "destroy", "connect", "disconnect"];

export function watchContainers(docker: Docker, log: Logger, times: WatchTimes = WATCH_TIMES): ContainerWatch {
  const closing = new AbortController();
  let now: ContainersNow = { known: false, because: "not listed yet" };
  let renewal: Promise<void> | null = null;
  /** The list under way, or else the last one. */
  let listing: Promise<void> = Promise.resolve();
  let isOvertaken = false;
  /** Ends a rest. */
  let hasten = () => {};
  let stopFollowing = () => {};
  let networks: readonly string[] | null = null;
  const ooms = new Map<string, number>();

  const list = async () => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(times.answerSeconds * 1000)]);
    const [{ running, endedNames }, found] = await Promise.all([
      listContainers(docker, signal),
      // Without them the containers are as good as ever.
      listNetworks(docker, signal).catch((error: unknown) => {
        log.debug({ err: error }, "Docker does not tell its networks");
        return null;
      }),
    ]);
    networks = found;
    now = { known: true, containers: running, endedNames };
  };

  const rest = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, times.restSeconds * 1000);
      hasten = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** One renewal at a time, after a rest; an event during one makes it run once more. */
  const renew = (): Promise<void> => {
    isOvertaken = true;
    renewal ??= (async () => {
      while (isOvertaken && !closing.signal.aborted) {
        await rest();
        if (closing.signal.aborted) break;
        isOvertaken = false;
        listing = list().catch((error: unknown) => lose(error));
        await listing;
      }
      // At once: an event between the last look and this would be lost.
      renewal = null;
    })();
    return renewal;
  };

  /** The list under way, the one that is rested for, or else the last one. */
  const latest = async () => {
    hasten();
    // Whoever rested goes on first.
    await Promise.resolve();
    await listing;
  };

  const lose = (error: unknown) => {
    if (now.known) log.warn({ err: error }, "lost sight of the containers");
    now = { known: false, because: error instanceof Error ? error.message : String(error) };
    stopFollowing();
  };

  /** One life of an event stream. The stream is asked for everything since before the list, so nothing falls between the two. */
  const follow = async () => {
    const since = Math.floor(Date.now() / 1000);
    const first = renew();
    hasten();
    await first;
    if (!now.known) return;
    const ending = new AbortController();
    stopFollowing = () => ending.abort();
    // The types know no abortSignal here; dockerode takes it as everywhere.
    const options: GetEventsOptions & { abortSignal: AbortSignal } = {
      since,
      filters: { type: ["container", "network"], event: [...new Set([...OF_CONTAINERS, ...OF_NETWORKS])] },
      abortSignal: AbortSignal.any([closing.signal, ending.signal]),
    };
    const events = (await docker.getEvents(options)) as Readable;
    const timer = setInterval(() => void renew(), times.renewSeconds * 1000);
    try {
      // What happened does not matter, only that something did: the list is the truth. What has no trace in the list is counted.
      for await (const chunk of events) {
        for (const id of readOomEvents(String(chunk))) ooms.set(id, (ooms.get(id) ?? 0) + 1);
        void renew();
      }
      throw new Error("Docker closed the event stream");
    } finally {
      clearInterval(timer);
      ending.abort();
    }
  };

  const life = (async () => {
    while (!closing.signal.aborted) {
      await follow().catch((error: unknown) => closing.signal.aborted || lose(error));
      await delay(times.retrySeconds * 1000, undefined, { signal: closing.signal }).catch(() => {});
    }
  })();

  return {
    async current() {
      await latest();
      // By now the loop above, which was told first, has begun to rest before the next one if an event asked for it; that one is younger than the call.
      await latest();
      return now;
    },
    networks: () => networks,
    renew: () => void renew(),
    oomEvents: () => ooms,
    async close() {
      closing.abort();
      hasten();
      await life;
      await renewal;
    },
  };
}

/** Ids of the containers that ran out of memory, from a piece of the event stream: one JSON object a line. */
function readOomEvents(chunk: string): string[] {
  return chunk.split("\n").flatMap((line) => {
    if (!line.includes('"oom"')) return [];
    try {
      const { Action, Actor, id } = JSON.parse(line) as { Action?: string; Actor?: { ID?: string }; id?: string };
      const container = Actor?.ID ?? id;
      return Action === "oom" && container !== undefined ? [container] : [];
    } catch {
      // Half a line at the seam of two chunks: an event is lost, and the kernel's own count has it.
      return [];
    }
  });
}
