import type { Readable } from "node:stream";
import type { Finding } from "../../platform/findings.js";
import type { Needs, Neighbour, ProcessFact, WorkloadDescription } from "../engine/engine.js";
import type { PagesState } from "../pages/pages-protocol.js";
import type { Introduction } from "../preflight/node-probe.js";

/** What two executors say to each other, over mutual TLS. The migration's record names who may say it. */
export interface Offer {
  readonly description: WorkloadDescription;
  readonly introduction: Introduction;
  readonly needs: Needs;
  /** What its memory images may take. */
  readonly memoryBytes: number;
}

export interface OfferAnswer {
  /** MOVE_PROTOCOL there; missing in the answer of an executor from before there was one. */
  readonly protocol?: number;
  readonly findings: readonly Finding[];
  readonly hasImage: boolean;
  /** How many of the image's layers, from the lowest on, need not be sent. */
  readonly layersHere: number;
  /** Whether it can take what was compressed with zstd. */
  readonly hasZstd: boolean;
  /** Why memory cannot follow to this node after a commit; null = it can. */
  readonly whyNotLazy: string | null;
}

export interface TwinRequest {
  /** Memory is to follow after the commit. */
  readonly leaveMemory: boolean;
  /** The migrations of the workloads whose network and IPC namespace it has joined, which move as one with it; null = it has its own. */
  readonly owners: { readonly network: string | null; readonly ipc: string | null };
}

export interface RoomAnswer {
  /** Why there is none; empty = booked. */
  readonly findings: readonly Finding[];
}

export interface TwinAnswer {
  readonly containerId: string;
  /** Names of the trees that may be synchronised, with the file's name there where a tree is one file. */
  readonly trees: readonly { readonly name: string; readonly file: string | null }[];
  /** Where memory that follows is expected; null when none does. */
  readonly pagePort: number | null;
  /** Whether some of it may cross in the freeze. */
  readonly takesAlong: boolean;
  /** Whether it can read the contents of tmpfs mounts that CRIU has not compressed. */
  readonly takesPlainTars: boolean;
}

export interface HoldAnswer {
  /** Whether packets for the workload are kept there from `steer` on. */
  readonly holds: boolean;
}

export interface RestoreRequest {
  readonly epoch: number;
  readonly processes: readonly ProcessFact[];
  readonly neighbours: readonly Neighbour[];
  /** Started afresh: there are no images. */
  readonly isCold: boolean;
  /** Names of those that were synchronised in the freeze. */
  readonly changedTrees: readonly string[];
}

export interface RestoreAnswer {
  /** Seconds from the request to each step, by the destination's clock. */
  readonly timeline: Readonly<Record<string, number>>;
  /** Seconds between the resume and this answer, which are not part of the blackout. */
  readonly sinceResumedSeconds: number;
}

/** Where the destination's half stands, for a source that lost an answer. */
export interface IncomingStatus {
  readonly state: "unknown" | "preparing" | "restoring" | "running" | "failed";
  /** Of memory that follows after the commit; null when none does. */
  readonly pages: PagesState | null;
}

/** A stream that is sent: as it is, or with `content-encoding: zstd`. */
export interface Outgoing {
  readonly stream: Readable;
  readonly isCompressed: boolean;
}

/** Each round costs CPU and bytes on both ends; a workload that has not come to rest by then writes faster than the channel carries. */
export const ROUNDS_MOST = 8;

export const RSYNC_UPGRADE = "evenkeel-rsync";

export const routes = {
  alive: "/v1/alive",
  /** Questions that change nothing, so any node of the fleet may ask them. */
  compare: "/v1/compare",
  preflight: "/v1/preflight",
  offer: (id: string) => `/v1/migrations/${id}/offer`,
  image: (id: string) => `/v1/migrations/${id}/image`,
  pull: (id: string) => `/v1/migrations/${id}/pull`,
  /** Takes bytes and forgets them. */
  probe: (id: string) => `/v1/migrations/${id}/probe`,
  twin: (id: string) => `/v1/migrations/${id}/twin`,
  files: (id: string) => `/v1/migrations/${id}/files`,
  hold: (id: string) => `/v1/migrations/${id}/hold`,
  steer: (id: string) => `/v1/migrations/${id}/steer`,
  memory: (id: string) => `/v1/migrations/${id}/memory`,
  /** Small pieces of memory that go ahead of its images. */
  small: (id: string) => `/v1/migrations/${id}/small`,
  /** Books room for images, in place of what the offer booked. */
  room: (id: string) => `/v1/migrations/${id}/room`,
  /** The images of one round of pre-copy. */
  round: (id: string, round: number | string) => `/v1/migrations/${id}/rounds/${round}`,
  /** Puts what has come of its files onto the disk. */
  flush: (id: string) => `/v1/migrations/${id}/flush`,
  begin: (id: string) => `/v1/migrations/${id}/begin`,
  restore: (id: string) => `/v1/migrations/${id}/restore`,
  anew: (id: string) => `/v1/migrations/${id}/anew`,
  finish: (id: string) => `/v1/migrations/${id}/finish`,
  migration: (id: string) => `/v1/migrations/${id}`,
};
