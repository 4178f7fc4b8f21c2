import { readFile, realpath, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { projectPath } from "../../../platform/paths.js";
import { EventQueue } from "../../channel/events.js";
import { type Fifo, openForReading, openForWriting } from "../../channel/fifo.js";
import { noteCgroupNamespace } from "./cgroup-flags.js";
import type { StartRequest } from "./start-request.js";
import { noteSysctls } from "./sysctls.js";

/** The pipes between the executor and the scripts of a restore. */
export const FIFOS = ["events", "bundle-ready", "criu", "created", "gate", "started", "verdict"] as const;

const BEGIN_DEADLINE_SECONDS = 60;
/** A runc that was told to give up takes its mounts and folders away; another may not begin before. */
const EXIT_DEADLINE_SECONDS = 10;

/** The runtime lets no other start of the container in: nobody would answer it, and Docker would hold the container's lock meanwhile. */
const WANTED = "wanted";

/** A `docker start` that has come as far as the runtime, which waits for images. Nothing of the container runs. */
export interface BegunStart {
  /** It has come as far as CRIU, and is to be a lazy restore. */
  readonly isAhead: boolean;
  readonly events: EventQueue;
  readonly open: Readonly<Record<(typeof FIFOS)[number], ReturnType<typeof openForWriting>>>;
  /** Docker's answer. */
  readonly starting: Promise<void>;
  /** Settles when runc has ended. */
  readonly exited: Promise<void>;
  /** Calls it off. Safe whatever has been reached. */
  abandon(): Promise<void>;
  close(): void;
}

/**
 * Starts a container up to the point at which it needs the images. Done ahead of the freeze, for it takes Docker some fifty milliseconds, and runc thirty
 * more. @param descriptors of a restore that is certain to be lazy: what the frozen workload's stdin, stdout and stderr are, which runc keeps beside the
 * images; null = runc waits for them. @throws RESTORE_FAILED with Docker's words.
 */
export async function beginStart(folder: string, start: StartRequest, descriptors: readonly string[] | null): Promise<BegunStart> {
  const events = new EventQueue();
  const open = Object.fromEntries(FIFOS.slice(1).map((name) => [name, openForWriting(`${folder}/${name}`)])) as BegunStart["open"];
  let hasRunc = false;
  let noteExit = () => {};
  const exited = new Promise<void>((resolve) => {
    noteExit = resolve;
  });
  const hear = (line: string) => {
    if (line.startsWith("exit")) noteExit();
    events.push(line);
  };
  const fifos: Fifo[] = [openForReading(`${folder}/events`, hear), ...Object.values(open)];
  const close = () => {
    for (const fifo of fifos) fifo.close();
  };
  await writeFile(`${folder}/${WANTED}`, "");
  const starting = start.send();
  starting.catch((error: unknown) => events.fail(error));
  const abandon = async () => {
    await rm(`${folder}/${WANTED}`, { force: true });
    // Whoever of the scripts still waits gets a no, so that nothing of the copy is left when Docker removes the container.
    for (const name of ["bundle-ready", "criu", "gate", "verdict"] as const) open[name].send("abort");
    open.created.send("0");
    open.started.send("1");
    // A Docker that hangs must not keep the source frozen.
    await Promise.race([starting.catch(() => {}), delay(EXIT_DEADLINE_SECONDS * 1000, undefined, { ref: false })]);
    if (hasRunc) await Promise.race([exited, delay(EXIT_DEADLINE_SECONDS * 1000, undefined, { ref: false })]);
    close();
  };
  try {
    await rm(`${folder}/asked`, { force: true });
    await fitBundle((await events.next(["create"], BEGIN_DEADLINE_SECONDS, "RESTORE_FAILED")).rest, folder);
    if (descriptors !== null) {
      await writeFile(`${folder}/images/descriptors.json`, JSON.stringify(descriptors));
      hasRunc = true;
      open["bundle-ready"].send("ahead");
      const { word, rest } = await events.next(["criu", "exit"], BEGIN_DEADLINE_SECONDS, "RESTORE_FAILED");
      if (word === "exit") throw new EvenkeelError("RESTORE_FAILED", `runc restore ended with ${rest} before it asked for the images`);
    }
  } catch (error) {
    await abandon();
    throw error;
  }
  return { isAhead: descriptors !== null, events, open, starting, exited, abandon, close };
}

interface RuntimeConfig {
  hooks?: { createRuntime?: unknown[] };
  readonly mounts?: { readonly type?: string; source?: string }[];
  readonly linux?: {
    readonly sysctl?: Readonly<Record<string, string>>;
    readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  };
}

/** Has runc call our hook, and notes what it leaves to us. Mounts come from where their sources lead to: CRIU mounts a link itself, and then does not find what it leads to (Debian's docker-init is one). */
async function fitBundle(bundle: string, folder: string): Promise<void> {
  const path = `${bundle}/config.json`;
  const config = JSON.parse(await readFile(path, "utf8")) as RuntimeConfig;
  for (const mount of config.mounts ?? []) {
    // What is not there runc says better.
    if (mount.type === "bind" && mount.source) mount.source = await realpath(mount.source).catch(() => mount.source!);
  }
  config.hooks ??= {};
  config.hooks.createRuntime = [
    ...(config.hooks.createRuntime ?? []),
    { path: projectPath("executor/shim/namespace-hook"), args: ["namespace-hook", folder] },
  ];
  const { sysctl = {}, namespaces = [] } = config.linux ?? {};
  await Promise.all([writeFile(path, JSON.stringify(config)), noteSysctls(folder, sysctl), noteCgroupNamespace(folder, namespaces)]);
}
