import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import type { WorkloadDescription } from "../engine.js";
import { type DockerConfig, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** Docker's patience where the container has none of its own (moby, daemon/container: defaultStopTimeout). */
const PATIENCE_SECONDS = 10;
/** What the types of Docker's API leave out. */
interface StopConfig {
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
}

/** As the C library counts them: SIGRTMIN+3 is how systemd is told to end. */
const FIRST_REAL_TIME = 34;

export async function readStopSeconds(host: DockerHost, description: WorkloadDescription): Promise<number | null> {
  const { Config } = description.engineConfig as Pick<DockerConfig, "Config"> & { readonly Config: StopConfig };
  const { State } = await inspect(host, description.containerId);
  const status = await readFile(`/proc/${State.Pid}/status`, "utf8").catch(() => null);
  return status === null ? null : stopSecondsOf(status, Config);
}

/**
 * How long Docker waits for the end of a program: until its patience is over, where the signal does not reach it. For the first process of a pid namespace the kernel drops
 * every signal that it has no handler for (pid_namespaces(7)). `status`: what /proc says of it. Null: it hears the signal, and nobody knows what it does then.
 */
export function stopSecondsOf(status: string, { StopSignal, StopTimeout }: StopConfig): number | null {
  const signal = numberOf(StopSignal || "SIGTERM");
  const patience = StopTimeout ?? PATIENCE_SECONDS;
  if (signal === null || patience < 0) return null;
  if (signal === constants.signals.SIGKILL) return 0;
  const has = (mask: string) => {
    const [, digits] = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, "m").exec(status) ?? [];
    return digits !== undefined && (BigInt(`0x${digits}`) & (1n << BigInt(signal - 1))) !== 0n;
  };
  // One that is blocked is waited for: by sigwait, as tini does, or a descriptor.
  if (has("SigCgt") || has("SigBlk")) return null;
  if (has("SigIgn")) return patience;
  return /^NSpid:.*\s1$/m.test(status) ? patience : 0;
}

/** `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`; null = none that is known. */
function numberOf(name: string): number | null {
  if (/^\d+$/.test(name)) return Number(name) > 0 && Number(name) < 65 ? Number(name) : null;
  const [, word, more] = /^(?:SIG)?([A-Z0-9]+)(\+\d+)?$/.exec(name.toUpperCase()) ?? [];
  if (word === "RTMIN") return FIRST_REAL_TIME + Number(more ?? 0);
  return (constants.signals as Readonly<Record<string, number>>)[`SIG${word}`] ?? null;
}
