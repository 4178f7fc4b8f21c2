import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { projectPath } from "../../../platform/paths.js";
import { EventQueue } from "../../channel/events.js";
import { makeFifos, openForReading, openForWriting } from "../../channel/fifo.js";
import { parentOfFinal } from "../../image-rounds.js";
import type { Checkpoint, FreezeOptions, FrozenMemory, WorkloadDescription } from "../engine.js";
import { cgroupFlags, isUnified } from "./cgroup-flags.js";
import { closesConnections, markConnections } from "./connections.js";
import { readCriuErrors } from "./criu-log.js";
import { type DockerConfig, inspect } from "./describe.js";
import { assertUndivided, readSharers } from "./divided-files.js";
import { type DockerHost, findRuncRoot } from "./docker-host.js";
import { findProcess, waitUntilGone } from "./find-process.js";
import { findFreezer, thaw } from "./freezer.js";
import { leaveIpcToOwner } from "./joined-ipc.js";
import { endTree, killFrozen } from "./kill-frozen.js";
import { packMadeFiles } from "./made-files.js";
import { readMapped, sortIntoTrees } from "./mapped-files.js";
import { openMemoryView, VIEW } from "./memory-view.js";
import { readNeighbours } from "./neighbours.js";
import { openNetworkRules } from "./network-rules.js";
import { canTarPlainly, plainTarPath } from "./plain-tars.js";
import { type ContainedProcess, readContained, readPids, readTree, thoseWithMemory } from "./processes.js";
import { packSharedMemory } from "./shared-memory.js";
import { keepThreadsTogether } from "./thread-groups.js";
import { containerFolder } from "./trees.js";

/** A dump of a big workload to tmpfs takes seconds; this only ends a CRIU that hangs. */
const DUMP_DEADLINE_SECONDS = 600;
/** Until it holds every thread it waits for no more than a few seconds itself. */
const HOLD_DEADLINE_SECONDS = 60;
/** To free a workload it takes less than a second. */
const GO_ON_DEADLINE_SECONDS = 30;

/**
 * After a lazy dump CRIU would serve the memory itself, on any address unless one is named, and kill or free the workload as that connection ends. This
 * one cannot be had, so that CRIU goes straight on to free the workload: what `goOn` wants; `kill` leaves CRIU no word in it.
 */
const NO_PAGE_SERVER = "address nowhere";

/** Ours is on when CRIU looks at connections (shut.nft), takes less time, and is lifted without CRIU. Written down in the images, so that it holds for the restore as well. */
const NO_LOCK = "network-lock skip";

/** What runc has no flag for, as CRIU's configuration. */
const CRIU_CONFIG = "criu.conf";

/** Beside the FIFOs where memory stays with the frozen workload. */
const LEFT_MEMORY = "left-memory";

/** The processes that had a memory when they were frozen: those that had ended before are nobody's loss. */
const HELD_PIDS = "held-pids";

const DISMISSAL_MILLISECONDS = 200;

/** The action script makes it before CRIU takes connections in hand. */
const HELD_MARK = "held";

/** CRIU's image of open files that have lost their names. */
const REMAPPED = "remap-fpath.img";

/** Starts the final dump. CRIU's action script keeps the workload frozen until `kill` or `goOn`. */
export async function startCheckpoint(
  host: DockerHost,
  description: WorkloadDescription,
  folder: string,
  { leaveMemory, plainTars, rounds, onStill, onReadable }: FreezeOptions,
): Promise<Checkpoint> {
  for (const name of [...(rounds === 0 ? ["images"] : []), "work", "events", "verdict", LEFT_MEMORY, VIEW, "freezer", HELD_MARK])
    await rm(`${folder}/${name}`, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Under --userns-remap CRIU opens images as the namespace's root, through a descriptor of this folder; nobody else gets past its parent.
  await mkdir(`${folder}/images`, { recursive: true, mode: 0o755 });
  await mkdir(`${folder}/work`, { mode: 0o700 });
  await makeFifos([`${folder}/events`, `${folder}/verdict`]);
  await markConnections(folder, description);
  const closes = closesConnections(description);
  const connections = closes ? "" : "--tcp-established ";
  const root = await findRuncRoot(host, description.containerId);
  const { State } = await inspect(host, description.containerId);
  await writeFile(`${folder}/init-pid`, String(State.Pid));
  const freezer = await findFreezer(State.Pid, description.containerId);
  if (freezer !== null) await symlink(freezer, `${folder}/freezer`);
  if (leaveMemory) await writeFile(`${folder}/${LEFT_MEMORY}`, "");
  const config = [NO_LOCK, ...(leaveMemory ? [NO_PAGE_SERVER] : []), ...(closes ? ["tcp-close"] : [])];
  await writeFile(`${folder}/${CRIU_CONFIG}`, config.map((line) => `${line}\n`).join(""));
  const path = plainTars && (await canTarPlainly()) ? { PATH: plainTarPath() } : {};
  // Read before the freeze, which need not wait for it then.
  const neighbours = readNeighbours(State.Pid, description);
  const sharers = description.sharedIpc.joiners.length === 0 ? [] : await readSharers(host, description);
  const view = leaveMemory ? await openMemoryView(folder, State.Pid) : null;
  const conversation = openConversation(folder);
  const rules = openNetworkRules(State.Pid);
  const log = openSync(`${folder}/runc.log`, "a");
  const parent = parentOfFinal(rounds);
  const child = spawn(
    projectPath("executor/shim/dump-and-thaw"),
    `--root ${root} checkpoint ${connections}--ext-unix-sk --file-locks --empty-ns network --image-path ${folder}/images --work-path ${folder}/work`
      .split(" ")
      .concat(
        parent === null ? [] : ["--parent-path", parent],
        leaveMemory ? ["--lazy-pages"] : [],
        cgroupFlags(),
        description.containerId,
      ),
    // Detached and with files for stdio: if this executor dies, CRIU stays and waits for the verdict of our successor.
    {
      stdio: ["ignore", log, log],
      detached: true,
      env: { ...process.env, EVENKEEL_FOLDER: folder, CRIU_CONFIG_FILE: `${folder}/${CRIU_CONFIG}`, ...path },
    },
  );
  const exited = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 128));
  });
  closeSync(log);
  exited.then((code) => {
    rules.close();
    conversation.events.push(`exit ${code}`);
  });
  const { letGo, ...verdicts } = verdictsOf(folder, conversation, exited);
  return {
    letGo,
    async dumped() {
      let confirmed: Promise<void> | undefined;
      let isOver = false;
      let contained: readonly ContainedProcess[] = [];
      const begun = await conversation.events.next(["pre-dump", "exit"], HOLD_DEADLINE_SECONDS, "CHECKPOINT_FAILED");
      let done = begun;
      if (done.word !== "exit") done = await conversation.events.next(["network-lock", "exit"], HOLD_DEADLINE_SECONDS, "CHECKPOINT_FAILED");
      if (done.word !== "exit") {
        const small = view?.show();
        if (!closes) await rules.load("still");
        await onStill();
        await rules.load("shut");
        conversation.send("lock");
        // Nothing of it changes any more.
        contained = await readContained(State.Pid);
        if (small !== undefined && onReadable !== undefined)
          onReadable(
            contained.flatMap(({ pid, here }) => small.filter((each) => each.here === here).map(({ areas }) => ({ pid, here, areas }))),
          );
        confirmed = view?.confirm(`${folder}/images`, () => isOver);
        confirmed?.catch(() => {});
        done = await conversation.events.next(["post-dump", "exit"], DUMP_DEADLINE_SECONDS, "CHECKPOINT_FAILED").finally(() => {
          isOver = true;
        });
      }
      if (done.word === "exit") {
        conversation.close();
        throw new EvenkeelError("CHECKPOINT_FAILED", `runc checkpoint ended with ${done.rest}: ${await explain(folder)}`);
      }
      const own = await containerFolder(host, description.containerId);
      const { Config } = description.engineConfig as DockerConfig;
      await Promise.all([
        packSharedMemory(own, `${folder}/images`),
        packMadeFiles(own, `${folder}/images`, description),
        description.sharedIpc.owner === null ? null : leaveIpcToOwner(`${folder}/images`),
        Config.OpenStdin === true && isUnified() ? keepThreadsTogether(`${folder}/images`) : null,
        assertUndivided(sharers),
      ]);
      // After those that change the same images.
      await view?.complete(`${folder}/images`, contained);
      if (leaveMemory)
        writeFileSync(`${folder}/${HELD_PIDS}`, JSON.stringify(contained.flatMap(({ here, hasMemory }) => (hasMemory ? here : []))));
      const madeNames = existsSync(`${folder}/images/${REMAPPED}`);
      const processes = contained.map(({ pid, command, threads }) => ({ pid, command, threads }));
      const imagesPath = `${folder}/images`;
      return { frozenAt: begun.at, imagesPath, processes, neighbours: await neighbours, madeNames, confirmed };
    },
    mappedFiles: async (trees) => sortIntoTrees(await readMapped(State.Pid), trees),
    memory: frozenMemory(folder),
    ...verdicts,
  };
}

/** The conversation with a checkpoint that an earlier executor started; null when its CRIU is gone. */
export async function resumeCheckpoint(folder: string): Promise<Checkpoint | null> {
  const words = dumping(folder);
  if ((await findProcess(words)) === null) return null;
  const conversation = openConversation(folder);
  const gone = waitUntilGone(words).then(() => 0);
  return {
    dumped: async () => {
      throw new EvenkeelError("INTERRUPTED", "the executor that froze the workload is gone");
    },
    mappedFiles: async () => new Map(),
    memory: frozenMemory(folder),
    ...verdictsOf(folder, conversation, gone),
  };
}

/** A CRIU that was killed leaves its script behind, which would wait for our verdict for ever. */
export async function dismissHolder(folder: string): Promise<void> {
  if (!existsSync(`${folder}/verdict`)) return;
  const verdict = openForWriting(`${folder}/verdict`);
  verdict.send("go-on");
  // Words in a pipe that nobody has open are lost.
  await delay(DISMISSAL_MILLISECONDS);
  verdict.close();
}

/** Whether CRIU ended without having let go: connections are in repair mode then, and say nothing. One that gives up, by our will or its own, says so. */
export async function wasCutOff(folder: string): Promise<boolean> {
  if (!existsSync(`${folder}/${HELD_MARK}`)) return false;
  const log = await readFile(`${folder}/work/dump.log`, "utf8").catch(() => "");
  return !/Dumping (FAILED|finished)/.test(log);
}

/** How it ends by our will, and the word that it has ended by none. */
function verdictsOf(folder: string, conversation: Conversation, exited: Promise<number>): Pick<Checkpoint, "kill" | "goOn" | "letGo"> {
  let isGiven = false;
  return {
    letGo: new Promise((resolve) => {
      exited.then(() => isGiven || resolve("holder-ended"));
    }),
    kill: () => {
      isGiven = true;
      return kill(folder, conversation, exited);
    },
    goOn: () => {
      isGiven = true;
      return goOn(folder, conversation, exited);
    },
  };
}

/** The command line of the runc that has CRIU freeze a workload into this folder. */
const dumping = (folder: string) => ["checkpoint", `${folder}/images`];

async function readInitPid(folder: string): Promise<number> {
  return Number(await readFile(`${folder}/init-pid`, "utf8"));
}

function frozenMemory(folder: string): FrozenMemory {
  return {
    isFrozen: async () => {
      if ((await findProcess(dumping(folder))) === null) return false;
      // Of one that was killed CRIU still holds the name, but nothing is in it any more.
      const pids = JSON.parse(await readFile(`${folder}/${HELD_PIDS}`, "utf8").catch(() => "[]")) as number[];
      return (await thoseWithMemory(pids)).length === pids.length;
    },
    pids: async () => readPids(await readInitPid(folder)),
  };
}

async function kill(folder: string, conversation: Conversation, exited: Promise<number>): Promise<void> {
  if (!existsSync(`${folder}/${LEFT_MEMORY}`)) return settle(conversation, "kill", exited);
  const runc = await findProcess(dumping(folder));
  if (runc !== null) await killFrozen(await readInitPid(folder), runc);
  await exited;
  conversation.close();
}

/** A CRIU that hangs is killed, and what it held thawed: connections that it had in hand are reset when the workload is revived. */
async function goOn(folder: string, conversation: Conversation, exited: Promise<number>): Promise<void> {
  const settled = settle(conversation, "go-on", exited);
  const deadline = delay(GO_ON_DEADLINE_SECONDS * 1000, "hangs" as const, { ref: false });
  if ((await Promise.race([settled, deadline])) !== "hangs") return;
  const runc = await findProcess(dumping(folder));
  if (runc !== null) endTree(await readTree(runc).catch(() => []));
  await thaw(`${folder}/freezer`);
  await settled;
}

interface Conversation {
  readonly events: EventQueue;
  send(verdict: string): void;
  /** False once CRIU has ended: there is nobody left to hear a verdict. */
  isOpen(): boolean;
  close(): void;
}

function openConversation(folder: string): Conversation {
  const events = new EventQueue();
  const reading = openForReading(`${folder}/events`, (line) => events.push(line));
  const writing = openForWriting(`${folder}/verdict`);
  let open = true;
  return {
    events,
    isOpen: () => open,
    send: (verdict) => writing.send(verdict),
    close: () => {
      open = false;
      reading.close();
      writing.close();
    },
  };
}

/** The pipe must stay open until CRIU has ended: a verdict with no reader yet lives only in the pipe. */
async function settle(conversation: Conversation, verdict: string, exited: Promise<number>): Promise<void> {
  if (!conversation.isOpen()) return;
  conversation.send(verdict);
  await exited;
  conversation.close();
}

async function explain(folder: string): Promise<string> {
  const criu = await readCriuErrors(`${folder}/work/dump.log`);
  return criu === "" ? await readFile(`${folder}/runc.log`, "utf8").catch(() => "no log") : criu;
}
