import { join } from "node:path";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../platform/keys.js";
import { connectRedis } from "../../platform/redis.js";
import { type ClientsOptions, type LabClients, startLabClients } from "../clients/start-lab-clients.js";
import { waitFor } from "../deadline.js";
import { cacheFolder } from "../folders.js";
import { buildImages, type ImageOptions } from "../images/build-images.js";
import { spreadImages } from "../images/import-images.js";
import { type Lab, type LabKind, type NodeSize, startLab } from "../lab.js";
import { toContainerCreateOptions } from "../workloads/container-spec.js";
import type { LabContainer, LabWorkload } from "../workloads/workload-table.js";
import { startPart, startPrometheus, startRedis } from "./parts.js";
import { type FleetSettings, PROMETHEUS_PORT, SCHEDULER_PORT, writeSettings } from "./settings.js";

export interface FleetOptions {
  readonly name: string;
  readonly nodes: readonly NodeSize[];
  readonly kind?: LabKind;
  readonly onProgress?: (step: string, percent?: number) => void;
  readonly mode?: "observe" | "auto";
  readonly policies?: Record<string, unknown>;
  /** Further settings of the scheduler. */
  readonly scheduler?: Record<string, unknown>;
  /** Labels of nodes, by name. */
  readonly nodeLabels?: Readonly<Record<string, Record<string, string>>>;
  /** Settings of every executor, beside the lab's own. */
  readonly executor?: Record<string, unknown>;
  readonly sampleSeconds?: number;
  readonly tickSeconds?: number;
  /** Without it only Redis, collectors and executors run: enough for moves made by a test itself. */
  readonly withScheduler?: boolean;
  readonly withPrometheus?: boolean;
  /** What machines start from and images are made of; the lab's own by default. */
  readonly rootDirectory?: string;
  /** Images that workloads run from; those of the lab's own workloads by default. */
  readonly recipes?: ImageOptions["recipes"];
  /** Loopback port for the scheduler's page; any free one by default. */
  readonly pagePort?: number;
  /** Breaks the start off and takes down what is up. */
  readonly signal?: AbortSignal;
}

/** Evenkeel on a lab: real Redis, collectors, executors, scheduler, Prometheus, each in its machine. */
export interface Fleet {
  readonly lab: Lab;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly settings: FleetSettings;
  /** Loopback address of the scheduler's API and page; null without a scheduler. */
  readonly url: string | null;
  readonly prometheusUrl: string | null;
  runWorkload(workload: LabContainer, node: string): Promise<void>;
  /** One connection to each workload, from outside the fleet, checked all the time. */
  startClients(workloads: readonly LabWorkload[], options?: ClientsOptions): Promise<LabClients>;
  /** The node whose Docker runs the workload; null while none or more than one does. */
  whereIs(workload: string): Promise<string | null>;
  close(): Promise<string[]>;
}

/** A handshake under emulation, beside a workload, takes seconds. */
const SIGN_OF_LIFE_SECONDS = { namespaces: 1.5, vm: 15 };
/** A sample is good for five of them, and an emulated node with other work is late. */
const SAMPLE_SECONDS = { namespaces: 1, vm: 5 };
const ANSWER_MILLISECONDS = 10_000;
const READY_DEADLINE_SECONDS = { namespaces: 180, vm: 600 };

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { withScheduler = true, withPrometheus = true, kind = "namespaces" } = options;
  const deadlineSeconds = READY_DEADLINE_SECONDS[kind];
  const onProgress: NonNullable<FleetOptions["onProgress"]> = (step, percent) => {
    options.signal?.throwIfAborted();
    options.onProgress?.(step, percent);
  };
  const lab = await startLab({ name: options.name, nodes: options.nodes, kind, rootDirectory: options.rootDirectory, onProgress });
  try {
    onProgress("making the workloads' images");
    const images = await buildImages(lab.rootDirectory, cacheFolder(), {
      recipes: options.recipes,
      onProgress: ({ image, done, total }) => onProgress(`making the workloads' images (${image})`, (100 * done) / total),
    });
    const settings = await writeSettings(lab, {
      policies: options.policies ?? {},
      scheduler: options.scheduler ?? {},
      nodeLabels: options.nodeLabels ?? {},
      executor: options.executor ?? {},
      mode: options.mode ?? "auto",
      signOfLifeSeconds: SIGN_OF_LIFE_SECONDS[kind],
      sampleSeconds: options.sampleSeconds ?? SAMPLE_SECONDS[kind],
      tickSeconds: options.tickSeconds ?? 1,
    });
    const imageHolders = new Map<string, Lab["nodes"][number]["docker"]>();
    onProgress("starting Redis, collectors and executors");
    await startRedis(lab, settings);
    const redis = connectRedis({ url: `unix://${join(lab.sharedDirectory, "redis.sock")}`, password: settings.redisPassword });
    const keys = makeKeys();
    await Promise.all(
      lab.nodes.map(async (node) => {
        await startPart(node, "collector", settings);
        await startPart(node, "executor", settings);
      }),
    );
    if (withScheduler) {
      onProgress("starting the scheduler");
      await startPart(lab.control, "scheduler", settings);
    }
    if (withPrometheus) await startPrometheus(lab);
    const publish = async (port: number, at?: number) => (await lab.publish(await lab.relay(lab.control, port), at)).url;
    const url = withScheduler ? await publish(SCHEDULER_PORT, options.pagePort) : null;
    const prometheusUrl = withPrometheus ? await publish(PROMETHEUS_PORT) : null;
    await waitFor("each node's first sample", deadlineSeconds, async () => {
      options.signal?.throwIfAborted();
      const samples = await Promise.all(lab.nodes.map((node) => redis.exists(keys.nodeSample(node.name))));
      return samples.every((there) => there === 1);
    });
    const answersAt = (what: string, address: string) =>
      waitFor(`${what} to answer (its log is in ${lab.control.folder}/log)`, deadlineSeconds, async () => {
        options.signal?.throwIfAborted();
        // One that was taken by whoever went away since is never answered.
        return (await fetch(address, { signal: AbortSignal.timeout(ANSWER_MILLISECONDS) }).catch(() => null))?.ok;
      });
    if (url !== null) await answersAt("the scheduler", `${url}/healthz`);
    if (prometheusUrl !== null) await answersAt("Prometheus", `${prometheusUrl}/-/ready`);

    return {
      lab,
      redis,
      keys,
      settings,
      url,
      prometheusUrl,
      runWorkload: async (workload, name) => {
        const { docker } = lab.node(name);
        // Only nodes that run it get the image: the others receive it from Evenkeel when a workload comes.
        const first = imageHolders.get(workload.image) ?? docker;
        imageHolders.set(workload.image, first);
        await spreadImages(
          first === docker ? [docker] : [first, docker],
          images.filter((image) => image.reference === workload.image),
        );
        await (await docker.createContainer(toContainerCreateOptions(workload))).start();
      },
      startClients: async (workloads, clientsOptions) => {
        const clients = await startLabClients(lab, workloads, clientsOptions);
        await waitFor("every client to have an answer", deadlineSeconds, async () => {
          const report = await clients.report().catch(() => null);
          return report?.clients.every((client) => client.requests > 0);
        });
        return clients;
      },
      whereIs: async (workload) => {
        const found = await Promise.all(
          lab.nodes.map(async (node) => {
            const running = await node.docker.listContainers({ filters: { name: [`^/${workload}$`], status: ["running"] } });
            return running.length > 0 ? [node.name] : [];
          }),
        );
        return found.flat().length === 1 ? (found.flat()[0] ?? null) : null;
      },
      close: async () => {
        redis.disconnect();
        return lab.close();
      },
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}
