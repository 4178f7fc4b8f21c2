import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { type Event, EventQueue, monotonicSeconds } from "../../channel/events.js";
import { type Fifo, makeFifos, openForReading, openForWriting } from "../../channel/fifo.js";
import { removeFolder } from "../../remove-folder.js";
import type { ProcessFact, RestoreDecision, RestoreDone } from "../engine.js";
import { type BegunStart, FIFOS } from "./begin-start.js";
import { readCriuErrors } from "./criu-log.js";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { findProcess } from "./find-process.js";
import { unpackMadeFiles } from "./made-files.js";
import { introduceNeighbours } from "./neighbours.js";
import { type NetworkRules, openNetworkRules } from "./network-rules.js";
import { bootTicksNow, readProcesses, readStartTicks } from "./processes.js";
import { fillSharedMemory } from "./shared-memory.js";
import { containerFolder } from "./trees.js";

const STEP_DEADLINE_SECONDS = 60;
/** Slower than any memory: this only ends a CRIU that hangs. */
const LEAST_BYTES_PER_SECOND = 100e6;
/** For Docker's words, once what it waited for has been called off. */
const ANSWER_SECONDS = 5;

/** Nobody writes to it: executor/pages/page-proxy.ts has a process wait there. */
const HOLD = "hold";

/** Lays out the folder in which the runtime shim finds the pending restore of a container. */
export async function preparePendingRestore(folder: string): Promise<void> {
  await removeFolder(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Under --userns-remap CRIU opens images as the namespace's root, through a descriptor of this folder; nobody else gets past its parent.
  await mkdir(`${folder}/images`, { mode: 0o755 });
  await mkdir(`${folder}/work`, { mode: 0o700 });
  await makeFifos([...FIFOS, HOLD].map((name) => `${folder}/${name}`));
}

interface Restoring {
  /** Every socket is back and out of repair, and threads are about to go. */
  readonly onResuming: () => void;
  feedMemory(): Promise<boolean>;
  begin(): Promise<BegunStart>;
  /** For a container that others join: Docker is answered as soon as it has attached the network, and says then that it runs. */
  readonly onAnswered?: () => void;
  /** Called when the namespaces hold what they held. */
  readonly onPrepared: () => void;
  /** Resolves when those of others do that it has joined. @throws RESTORE_FAILED */
  readonly othersPrepared: () => Promise<void>;
}

/** The action script makes it before CRIU lets the threads go. */
export const RUN_MARK = "resumed";

/** Whether the copy may have run. */
export function hasRun(folder: string): boolean {
  return existsSync(`${folder}/${RUN_MARK}`);
}

/**
 * Talks a start through the restore: images, namespaces, Docker's network, sockets, commit, resume.
 * @throws RESTORE_FAILED, PROOF_FAILED, COMMIT_REFUSED: nothing of the copy has run then, unless `hasRun`, as when Docker dies before it answers.
 */
export async function restoreContainer(
  host: DockerHost,
  containerId: string,
  folder: string,
  decision: RestoreDecision,
  { onResuming, feedMemory, begin, onAnswered, onPrepared, othersPrepared }: Restoring,
): Promise<RestoreDone> {
  const began = monotonicSeconds();
  const beganTicks = await bootTicksNow();
  const timeline: Record<string, number> = {};
  let isGoing = false;
  let isCommitted = false;
  let rules: NetworkRules | null = null;
  const isLazy = await feedMemory();
  const begun = await begin();
  const { events, open, starting } = begun;
  const deadlineSeconds = deadlineOf(folder);
  let isGivenUp = false;
  /** Until it has attached the network, Docker may find that it cannot. */
  let endings = ["exit", "kill"];
  const next = async (word: string, orWord = word): Promise<Event> => {
    const event = await events.next([word, ...endings], deadlineSeconds, "RESTORE_FAILED");
    timeline[word] = event.at - began;
    if (event.word === "kill") {
      isGivenUp = true;
      throw new EvenkeelError("RESTORE_FAILED", "Docker gave up starting it");
    }
    if (event.word === "exit") isGoing = false;
    if (event.word === "exit" && (orWord !== "exit" || event.rest !== "0"))
      throw new EvenkeelError("RESTORE_FAILED", await explain(folder, event.rest));
    return event;
  };
  try {
    await fillSharedMemory(await containerFolder(host, containerId), `${folder}/images`);
    if (begun.isAhead) open.criu.send("go");
    else open["bundle-ready"].send(isLazy ? "lazy" : "eager");
    isGoing = true;
    timeline["images"] = monotonicSeconds() - began;
    const namespacePid = (await next("namespace")).rest;
    writeFileSync(`${folder}/init-pid`, namespacePid);
    open.created.send(namespacePid);
    const prepared = async () => {
      await next("post-setup-namespaces");
      // Not sooner: Docker and CRIU need both cores until then, and now Docker waits for the kernel.
      return openNetworkRules(Number(namespacePid));
    };
    if (onAnswered === undefined) rules = await prepared();
    await next("start");
    endings = ["exit"];
    await unpackMadeFiles(await containerFolder(host, containerId), `${folder}/images`);
    if (onAnswered !== undefined) {
      open.started.send("0");
      starting.then(onAnswered, () => {});
      rules = await prepared();
    }
    onPrepared();
    await othersPrepared();
    open.gate.send("go");
    // Beside the sockets, which need not wait for it.
    const introduced = introduceNeighbours(Number(namespacePid), decision.neighbours);
    const initPid = Number((await next("post-restore")).rest);
    await prove(initPid, beganTicks, decision.processes);
    await introduced;
    if (!(await decision.commit())) throw new EvenkeelError("COMMIT_REFUSED", `container ${containerId.slice(0, 12)}`);
    timeline["commit"] = monotonicSeconds() - began;
    isCommitted = true;
    // Where it cannot be done here the script tries once more, and a copy that stays mute is given up.
    const isHeard = await rules?.load("speak").then(
      () => true,
      () => false,
    );
    events.next(["pre-resume"], deadlineSeconds).then(onResuming, () => {});
    open.verdict.send(isHeard === true ? "heard" : "commit");
    // Its script may find no room for itself beside a workload that runs (--pids-limit).
    const resumed = await next("post-resume", "exit");
    const exit = resumed.word === "exit" ? resumed : await next("exit");
    if (onAnswered === undefined) open.started.send(exit.rest);
    await starting;
    timeline["started"] = monotonicSeconds() - began;
    begun.close();
    return { resumedAt: resumed.at, timeline };
  } catch (error) {
    // Docker, which was told that it runs, must find that it has ended.
    if (onAnswered !== undefined && isGoing) await giveUp(begun);
    // CRIU ends it in a network that was opened for it: what comes then must not be answered with a reset.
    if (isCommitted && !hasRun(folder)) await rules?.load("shut").catch(() => {});
    // Only then is it certain whether it has run.
    if (isCommitted) await Promise.race([begun.exited, delay(STEP_DEADLINE_SECONDS * 1000, undefined, { ref: false })]);
    await begun.abandon();
    // Its answer comes only when its start has been called off here.
    if (isGivenUp) await Promise.race([starting, delay(ANSWER_SECONDS * 1000, undefined, { ref: false })]);
    throw error;
  } finally {
    rules?.close();
  }
}

/** What is not left for later CRIU reads within a step: contents of tmpfs mounts, or memory. Without giving way: it stands in the freeze. */
function deadlineOf(folder: string): number {
  const images = `${folder}/images`;
  const bytes = readdirSync(images).reduce((sum, name) => sum + (statSync(`${images}/${name}`, { throwIfNoEntry: false })?.size ?? 0), 0);
  return STEP_DEADLINE_SECONDS + bytes / LEAST_BYTES_PER_SECOND;
}

async function giveUp({ events, open }: BegunStart): Promise<void> {
  open.gate.send("abort");
  open.verdict.send("abort");
  await events.next(["exit"], STEP_DEADLINE_SECONDS, "RESTORE_FAILED").catch(() => {});
}

/**
 * Brings a restore to its end that an earlier executor committed: whatever script still waits for the commit gets it, and Docker its answer.
 * Safe when nothing waits any more.
 */
export async function resumeRestore(host: DockerHost, containerId: string, folder: string): Promise<void> {
  const events = new EventQueue();
  const reading = openForReading(`${folder}/events`, (line) => events.push(line));
  const verdict = openForWriting(`${folder}/verdict`);
  const started = openForWriting(`${folder}/started`);
  try {
    verdict.send("commit");
    const exit = await events.next(["exit"], 5, "RESTORE_FAILED").catch(() => null);
    started.send(exit?.rest ?? "0");
    if (exit !== null && exit.rest !== "0") throw new EvenkeelError("RESTORE_FAILED", await explain(folder, exit.rest));
    const deadline = monotonicSeconds() + STEP_DEADLINE_SECONDS;
    // Of an owner Docker says so before the commit.
    while (!(await inspect(host, containerId)).State.Running || (await findProcess(["restore", `${folder}/images`])) !== null) {
      if (monotonicSeconds() > deadline)
        throw new EvenkeelError("RESTORE_FAILED", `${containerId.slice(0, 12)} does not run: ${await explain(folder, exit?.rest ?? "?")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    for (const fifo of [reading, verdict, started]) fifo.close();
  }
}

/** Tells every script that still waits to give up. Docker holds the container's lock until they have; close the result after removing it. */
export function abandonRestore(folder: string): Fifo {
  const open = FIFOS.filter((name) => name !== "events" && existsSync(`${folder}/${name}`)).map((name) => {
    const fifo = openForWriting(`${folder}/${name}`);
    fifo.send(name === "created" ? "0" : name === "started" ? "1" : "abort");
    return fifo;
  });
  // Held open for reading too, else the scripts' own words would block them.
  const events = existsSync(`${folder}/events`) ? [openForReading(`${folder}/events`, () => {})] : [];
  return {
    close: () => {
      for (const fifo of [...open, ...events]) fifo.close();
    },
  };
}

/**
 * The copy is the frozen workload, not a fresh start of its image: the same processes with the same names and threads under
 * the same pids, all made since this restore began.
 */
async function prove(initPid: number, beganTicks: number, expected: readonly ProcessFact[]): Promise<void> {
  const found = await readProcesses(initPid);
  const text = (facts: readonly ProcessFact[]) => facts.map((fact) => `${fact.pid}:${fact.command}:${fact.threads}`).join(" ");
  if (text(found) !== text(expected)) throw new EvenkeelError("PROOF_FAILED", `frozen ${text(expected)}; restored ${text(found)}`);
  if ((await readStartTicks(initPid)) < beganTicks) throw new EvenkeelError("PROOF_FAILED", `process ${initPid} is older than the restore`);
}

async function explain(folder: string, code: string): Promise<string> {
  return `runc restore ended with ${code}: ${await readCriuErrors(`${folder}/work/restore.log`)}`;
}
