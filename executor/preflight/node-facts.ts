import type { TlsFiles } from "../../platform/tls.js";
import type { KernelLimits } from "./kernel-limits.js";

/** What one node is made of, as far as moves are concerned. Travels between executors; null is "not there" or "could not be read". */
export interface NodeFacts {
  readonly node: string;
  /** MOVE_PROTOCOL of its executor; missing in what one from before there was one tells. */
  readonly protocol?: number;
  readonly kernel: string;
  readonly architecture: string;
  readonly criu: { readonly version: string | null; readonly trouble: string | null };
  /** Lines of CRIU's configuration that break a migration, as `file: line`. */
  readonly criuConfig: readonly string[];
  readonly runc: string | null;
  /** Of the Node.js that this runs on. */
  readonly nodeJs: string;
  readonly missingTools: readonly string[];
  readonly hasZstd: boolean;
  readonly hasUserfaultfd: boolean;
  readonly tracksDirtyPages: boolean;
  /** Kernels before 6.6 allow it and have no setting for it. */
  readonly ioUring: "off" | "allowed" | "always allowed";
  /** How it can keep packets for a workload that comes; null with the reason. */
  readonly packetHold: { readonly means: string | null; readonly reason: string };
  readonly kernelLimits: KernelLimits;
  readonly engine: EngineFacts | null;
  readonly runDirectory: { readonly path: string; readonly isThere: boolean; readonly isInMemory: boolean; readonly freeBytes: number };
  readonly certificate: CertificateFacts;
  readonly redis: RedisFacts | null;
}

export interface EngineFacts {
  readonly name: string;
  readonly version: string;
  readonly storageDriver: string;
  readonly isRootless: boolean;
  /** Null: the runtime is registered and its program is there. */
  readonly runtimeTrouble: string | null;
  readonly traits: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface CertificateFacts {
  readonly path: string;
  readonly trouble: string | null;
  /** Epoch seconds; null when it cannot be read. */
  readonly expiresAt: number | null;
}

export interface RedisFacts {
  /** Settings; null when Redis does not let them be read. */
  readonly evictionPolicy: string | null;
  readonly appendOnly: string | null;
  readonly appendFsync: string | null;
  /** This node's clock less that of Redis. */
  readonly clockOffsetSeconds: number;
}

/** What the facts are gathered from. */
export interface FactSources {
  readonly node: string;
  readonly runDirectory: string;
  readonly tls: TlsFiles;
  readonly packetHold: NodeFacts["packetHold"];
  /** Null: the engine does not answer. */
  engine(): Promise<EngineFacts | null>;
  redis(): Promise<RedisFacts | null>;
}
