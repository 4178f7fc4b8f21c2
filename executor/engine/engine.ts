import type { Finding } from "../../platform/findings.js";
import type { PagesState } from "../pages/pages-protocol.js";
import type { FrozenProcess } from "../pages/take-along.js";
import type { KernelLimits } from "../preflight/kernel-limits.js";

/**
 * What a container engine must be able to do for a migration. Docker is the first one (docker/); LXC or Podman would implement the same two
 * halves. A source never learns how the destination restores, and the other way round: between them travel a WorkloadDescription, file trees,
 * and a folder of CRIU images.
 */
export interface WorkloadDescription {
  readonly engine: string;
  readonly workload: string;
  readonly containerId: string;
  readonly name: string;
  /** In the engine's words: `running`, `paused` … */
  readonly status: string;
  readonly imageId: string;
  readonly imageName: string;
  /** Under which a registry has it, `name@sha256:…`; empty = under none that is known. */
  readonly imageDigests: readonly string[];
  readonly networks: readonly NetworkAttachment[];
  readonly sharedNetwork: SharedNetwork;
  readonly sharedIpc: SharedIpc;
  readonly volumes: readonly VolumeMount[];
  /** Folders of the host that move with it, by their owner's leave. */
  readonly folders: readonly FolderMount[];
  /** The engine's own description, opaque to all but the same engine on the other node. */
  readonly engineConfig: unknown;
  /** Its owner lets it be stopped and started elsewhere if it cannot be moved otherwise. */
  readonly allowsCold: boolean;
  /** What both ends must have alike, such as the user-namespace mapping. */
  readonly traits: Readonly<Record<string, string>>;
}

export interface NetworkAttachment {
  readonly network: string;
  readonly driver: string;
  /** Empty where it has none of that family. */
  readonly ipv4Address: string;
  readonly ipv6Address: string;
  readonly macAddress: string;
  /** Whether address and connections go with the workload: the network is one segment that nodes share, or has nobody else in it. */
  readonly keeps: boolean;
}

/** With whom it shares a network. They move as one, or none of them: docs/groups.md. */
export interface SharedNetwork {
  /** Whose network it has joined; null = it has its own. `keeps` as of its attachments, all of them. */
  readonly owner: (Companion & { readonly keeps: boolean }) | null;
  /** Those that run and have joined its own. */
  readonly joiners: readonly Companion[];
}

/** With whom it shares an IPC namespace: memory, semaphores and queues of System V, and /dev/shm. */
export interface SharedIpc {
  /** Whose it has joined; null = it has its own. */
  readonly owner: Companion | null;
  /** Those that run and have joined its own. */
  readonly joiners: readonly Companion[];
}

export interface Companion {
  readonly containerId: string;
  readonly name: string;
}

export interface VolumeMount {
  readonly name: string;
  readonly driver: string;
  readonly destination: string;
  /** With which its driver made it, and what its owner has noted on it. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReadOnly?: boolean;
}

export interface FolderMount {
  /** Its path on the host, the same on both. */
  readonly source: string;
  readonly destination: string;
}

/** The tree of a root file system's changes. */
export const ROOT_TREE = "rootfs";
/** The name of the tree that is what the workload has printed. */
export const LOG_TREE = "log";

/** A folder to be made equal on both ends; `name` is the same on both. */
export interface FileTree {
  readonly name: string;
  readonly path: string;
  /** Where the workload sees it; absent for what it does not see, such as its log. */
  readonly mountedAt?: string;
  /** Of a volume: the folder in it that the workload sees there, where that is not all of it. */
  readonly subpath?: string;
  /** Set when only this one file of the folder is meant; its name may differ between the ends. */
  readonly file?: string;
  /** Whoever made it takes it away again, at any moment. */
  readonly isPassing?: boolean;
}

/** What a workload needs at a destination, beyond what its description says. Null: could not be read. */
export interface Needs {
  /** Addresses of networks that end at the source, to which a socket is bound that must be restored. */
  readonly boundAddresses: readonly string[];
  /** Of the program that the engine has put before its own as first process; null = none. */
  readonly initDigest: string | null;
  /** What it has of that which kernels limit for a process. */
  readonly usedLimits: KernelLimits;
  readonly usesIPv6: boolean;
  /** Of the networks that go with it, by name. */
  readonly networkTerms: Readonly<Record<string, NetworkTerms>>;
  /** Of what it changed in its root file system. */
  readonly rootBytes: number;
  readonly volumeBytes: number;
  /** Null: the source does not have its image any more. */
  readonly imageBytes: number | null;
  /** Digests of the image's layers, the lowest first. */
  readonly imageLayers: readonly string[];
  readonly hugePageBytes: number;
  /** Of System V memory that it shares with others: its images have all of it, whoever it counts for. */
  readonly sharedMemoryBytes: number;
  /** Of memory that its processes share since they were forked: what more it takes in images, which have it once for each of them. */
  readonly forkedBytes: number;
  /** Of its own memory in swap, and that in memory which is of no file; once, where its processes share it. */
  readonly swappedBytes: number;
  readonly anonymousBytes: number;
  /** What its container may have in memory; null = there is no limit. */
  readonly memoryLimitBytes: number | null;
  /** Paths of /proc and /sys that the engine covers in the container, and those it would cover if this kernel had them. */
  readonly coveredPaths: readonly string[];
  readonly absentPaths: readonly string[];
  /** Names of what confines it: `apparmor`, `seccomp`, `selinux`. */
  readonly confinedBy: readonly string[];
  /** Files and folders of its host that it may only read, each with a digest; null = cannot be compared. */
  readonly hostFiles: Readonly<Record<string, string | null>>;
}

/** On what a workload counts in a network. */
export interface NetworkTerms {
  /** Of the subnets of its IPv4 and its IPv6 address; 0 = it has none of that family. */
  readonly prefixLengths: readonly [number, number];
  /** By which it reaches other subnets; empty where that is a node itself. */
  readonly gateways: readonly string[];
  /** Null: cannot be seen. */
  readonly mtuBytes: number | null;
}

/** A process of the workload as its own pid namespace sees it. */
export interface ProcessFact {
  readonly pid: number;
  readonly command: string;
  readonly threads: number;
}

/** Somebody on the same segment. */
export interface Neighbour {
  /** The workload's interface. */
  readonly device: string;
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly macAddress: string;
}

export interface SourceEngine {
  describe(containerId: string): Promise<WorkloadDescription>;
  findings(description: WorkloadDescription): Promise<Finding[]>;
  needs(description: WorkloadDescription): Promise<Needs>;
  /** With logs that there may not be yet. */
  trees(description: WorkloadDescription): Promise<FileTree[]>;
  /** A stream of the image that `TargetEngine.loadImage` understands, without the lowest `layersThere` of its layers. */
  saveImage(imageId: string, imageName: string, layersThere: number): Promise<NodeJS.ReadableStream>;
  /** Keeps the engine from reviving the frozen or killed source. `release` undoes it. */
  holdRestarts(description: WorkloadDescription): Promise<void>;
  releaseRestarts(description: WorkloadDescription): Promise<void>;
  /** Why the memory of a running workload cannot be copied ahead of the freeze here, in words; null = it can. */
  whyNoPrecopy(): Promise<string | null>;
  /** Begins round `round` (1, 2 …) of copying memory ahead, into the same folder as the checkpoint that follows. */
  preDump(description: WorkloadDescription, folder: string, round: number): Promise<PreDump>;
  checkpoint(description: WorkloadDescription, folder: string, how: FreezeOptions): Promise<Checkpoint>;
  /** The same for a cold move: the workload is ended, and goes on by being started again. */
  coldCheckpoint(description: WorkloadDescription, folder: string): Promise<Checkpoint>;
  /** How long a cold move waits for the workload's end, as far as that can be told beforehand; null = it listens, and ends when it pleases. */
  stopSeconds(description: WorkloadDescription): Promise<number | null>;
  /** Why memory cannot follow after the commit from this node; null = it can. */
  whyNotLazy(): Promise<string | null>;
  /** Takes up the conversation with a checkpoint that an earlier executor began. Null when none is going on. */
  resumeCheckpoint(folder: string): Promise<Checkpoint | null>;
  /**
   * Makes sure that the workload runs and its neighbours know where, after a checkpoint that ended in `goOn` or was cut off. `wasLetGo`: what held it died
   * with its connections in hand. False: it had died, and was started anew, without its memory.
   */
  revive(description: WorkloadDescription, how: { readonly wasLetGo: boolean }): Promise<boolean>;
  /** Tells the neighbours again where a revived workload is, once the destination's Docker says no more that it is there. */
  announce(description: WorkloadDescription): Promise<void>;
  /** Whether what held the workload of a checkpoint that nobody resumes died with its connections in hand. */
  wasLetGo(folder: string): Promise<boolean>;
  /** Ends a workload at once that was let go though its copy counts. Its files stay. False: it has been removed. */
  end(description: WorkloadDescription): Promise<boolean>;
  /** Ends what a CRIU that died has left waiting for a word of ours, which lets the workload be heard again. For a checkpoint that nobody resumes. */
  dismissHolder(folder: string): Promise<void>;
  /** Removes the killed copy and what moved with it: volumes and folders. Returns those of them that others use by now, which stay. */
  removeSource(description: WorkloadDescription): Promise<string[]>;
}

/** A round in progress: images grow below `imagesPath` until `done`. */
export interface PreDump {
  readonly imagesPath: string;
  /** @throws CHECKPOINT_FAILED: the workload runs on. */
  readonly done: Promise<{ readonly bytes: number; readonly pausedSeconds: number }>;
}

export interface FreezeOptions {
  /** The images go without what can follow later; `Checkpoint.memory` tells whose it is. */
  readonly leaveMemory: boolean;
  /** The destination reads what is in tmpfs mounts without compression. */
  readonly plainTars: boolean;
  /** How many rounds of memory were made ahead; the images then hold only what was written since the last. */
  readonly rounds: number;
  /**
   * Called once no thread of the workload runs and its kernel says nothing more, but still takes in what comes: the moment to draw its traffic to the
   * destination. What comes after it has resolved is lost here.
   */
  readonly onStill: () => Promise<void>;
  /** Called when no thread runs, with the processes whose small pieces of memory may be read from now on, before they are in any image; not where that cannot be told. */
  readonly onReadable?: (processes: readonly FrozenProcess[]) => void;
}

/** The memory that a frozen workload still has. */
export interface FrozenMemory {
  isFrozen(): Promise<boolean>;
  /** Its processes: pids in the container to pids here. */
  pids(): Promise<Readonly<Record<number, number>>>;
}

export interface Dump {
  /** Monotonic, in seconds. */
  readonly frozenAt: number;
  readonly imagesPath: string;
  readonly processes: readonly ProcessFact[];
  /** Whom it knew by hardware address in networks that go with it. */
  readonly neighbours: readonly Neighbour[];
  /** The dump may have put names among the workload's files that belong to the images: deleted files that have another name left. */
  readonly madeNames: boolean;
  /** Of what was taken for unchanged since a moment before the freeze, whether it is; absent = nothing was. @throws CHECKPOINT_FAILED */
  readonly confirmed?: Promise<void>;
}

/** A checkpoint in progress: the workload is frozen once `dumped` resolves, and stays so until `kill` or `goOn`. */
export interface Checkpoint {
  /** Resolves if the workload is let go by neither: what held it has ended, or somebody has started one that was stopped. */
  readonly letGo: Promise<"holder-ended" | "started">;
  /** Resolves when everything is in the images. @throws CHECKPOINT_FAILED: it runs on. */
  dumped(): Promise<Dump>;
  /** Files of the frozen workload whose last copy cannot be judged by size and time, by tree. */
  mappedFiles(trees: readonly FileTree[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What can follow later; absent where nothing can. */
  readonly memory?: FrozenMemory;
  kill(): Promise<void>;
  goOn(): Promise<void>;
}

export interface TargetEngine {
  findings(description: WorkloadDescription, needs: Needs): Promise<Finding[]>;
  hasImage(imageId: string): Promise<boolean>;
  /** How many of an image's layers, from the lowest on, need not come. */
  layersHere(layers: readonly string[]): Promise<number>;
  /** Has the engine fetch the image from a registry. False = it cannot; the image has to be sent. */
  pullImage(description: WorkloadDescription): Promise<boolean>;
  loadImage(stream: NodeJS.ReadableStream, imageName: string, imageId: string): Promise<void>;
  /** What the twin of a workload would bring along and others have here already. */
  taken(description: WorkloadDescription): Promise<Finding[]>;
  /** Creates the stopped twin, labelled with the migration. Returns its id and the trees to fill. */
  create(description: WorkloadDescription, migrationId: string, owners: OwnerTwins): Promise<{ containerId: string; trees: FileTree[] }>;
  /** The twin that `create` made for a migration; null = none. */
  findTwin(migrationId: string): Promise<{ readonly containerId: string; readonly isRunning: boolean } | null>;
  /** Migrations by which containers came that do not run. */
  stoppedTwins(): Promise<string[]>;
  /** Lays out the folder that will take the images; `restore` finds them there. */
  prepareRestore(description: WorkloadDescription, containerId: string, folder: string, owners: OwnerTwins): Promise<void>;
  /** Takes everything ahead of the freeze that `restore` can do without images. Nothing of the copy runs. */
  beginRestore(description: WorkloadDescription, containerId: string, folder: string): Promise<void>;
  /** From now on keeps what comes in here for the workload, until `restore` resumes it or `remove` gives it up. False: this node cannot. */
  hold(description: WorkloadDescription, containerId: string, folder: string): Promise<boolean>;
  /** Tells the neighbours that the workload is to be reached here, its traffic being held. */
  steer(containerId: string): void;
  /** Makes ready for images whose memory follows after the commit. */
  awaitImages(containerId: string, folder: string): Promise<void>;
  /** A round of images is there, and will be followed by others. */
  roundArrived(containerId: string): void;
  /** The images are there, or all of them but the pages: what can be made ready meanwhile, is. */
  imagesArrive(containerId: string, so: { readonly hasPages: boolean }): void;
  /** @throws RESTORE_FAILED, PROOF_FAILED, COMMIT_REFUSED; `hasRun` says what that means for the copy. */
  restore(containerId: string, folder: string, decide: RestoreDecision): Promise<RestoreDone>;
  /** Starts the twin afresh, with the files that came and no memory, once `commit` has allowed it. @throws RESTORE_FAILED, COMMIT_REFUSED */
  startCold(containerId: string, folder: string, commit: () => Promise<boolean>): Promise<RestoreDone>;
  whyNotLazy(): Promise<string | null>;
  /** Makes ready for memory that follows after the commit. Returns the port to which the source brings it. */
  openPages(containerId: string, folder: string, from: { node: string; migration: string }): Promise<number>;
  /** Whether other memory may be put in before it begins to follow. */
  mayFillBeside(): Promise<boolean>;
  /** Whether a restore here reads the contents of tmpfs mounts that were not compressed. */
  takesPlainTars(): Promise<boolean>;
  /** Where that memory stands; null = none follows. */
  pages(folder: string): Promise<PagesState | null>;
  /** Its memory is lost: ends the copy, and starts it anew with its files, since that serves its users better than nothing. */
  startAnew(description: WorkloadDescription, containerId: string, folder: string): Promise<void>;
  /** Brings a committed restore to its end after the executor that began it died. @throws RESTORE_FAILED */
  resumeRestore(containerId: string, folder: string): Promise<void>;
  /** Whether a copy in whose restore something failed may have run all the same: then only it counts, and its source must not go on. */
  hasRun(folder: string): boolean;
  /** Gives the workload its own restart policy, which its twin was made without, and what that would have done already. Safe to repeat. */
  releaseRestarts(description: WorkloadDescription, containerId: string): Promise<void>;
  /** Frees what a restore left behind and gives the workload its own restart policy. */
  finish(description: WorkloadDescription, containerId: string, folder: string): Promise<void>;
  /**
   * Removes the twin, running or not, and the volumes that `create` made: by the description too, if it is known, for an engine may have removed the
   * container by itself. Safe to repeat.
   */
  remove(containerId: string, folder: string, description: WorkloadDescription | null): Promise<void>;
  /** Removes volumes that `create` made before it failed, and empties folders. Safe to repeat. */
  removeKept(description: WorkloadDescription): Promise<void>;
}

/** A twin that another joins, and its folder. */
export interface OwnerTwin {
  readonly containerId: string;
  readonly folder: string;
}

/** Those that a twin joins: its network and its IPC namespace; null = it has its own. */
export interface OwnerTwins {
  readonly network: OwnerTwin | null;
  readonly ipc: OwnerTwin | null;
}

export interface RestoreDecision {
  readonly processes: readonly ProcessFact[];
  readonly neighbours: readonly Neighbour[];
  /** The images lack what is to follow after the commit. */
  readonly leavesMemory: boolean;
  /** The root file system was written to since `beginRestore`. */
  readonly rootChanged: boolean;
  /** So was its log. */
  readonly logChanged: boolean;
  /** Called once the copy is whole but still silent and still: true = let it run. */
  commit(): Promise<boolean>;
}

export interface RestoreDone {
  /** Monotonic seconds at which the workload ran again. */
  readonly resumedAt: number;
  readonly timeline: Readonly<Record<string, number>>;
}
