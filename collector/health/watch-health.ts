import type { HealthSignKind } from "../../policies/types.js";
import type { CgroupMounts } from "../cgroup-mounts.js";
import { parseCgroupMounts } from "../cgroup-mounts.js";
import type { Probe } from "../probe.js";
import type { NodeHealth } from "../protocol.js";
import { isConfinedNode } from "../read-host.js";
import { makeDiskHealth } from "./disk-health.js";
import type { Look } from "./look.js";
import { makeMemoryErrors } from "./memory-errors.js";
import { makeOomKills, type OomCounts } from "./oom-kills.js";
import { makeReadOnly } from "./read-only.js";
import { lookAtStalls } from "./stalls.js";
import { lookAtTemperatures } from "./temperature.js";

/** A sign stays for this long after it was last seen: a node that has cooled down because it was emptied is not well yet. */
export const LINGER_SECONDS = 600;

export interface HealthOptions {
  /** Folders that Docker and Evenkeel write to. */
  written(): Promise<readonly string[]>;
  oomCounts(): OomCounts;
  readonly disks?: ReturnType<typeof makeDiskHealth>;
}

/** When it is looked. */
export interface LookTime {
  /** Epoch seconds: what a sign is dated by. */
  readonly at: number;
  /** On a clock that never steps back: what ages are measured by. */
  readonly seconds: number;
}

export interface HealthWatch {
  /** Looks for every sign once. Each call may take as long as the kernel lets it. */
  look(probe: Probe, time: LookTime): Promise<void>;
  /** Null before the first look has ended: then nothing is known. */
  current(): NodeHealth | null;
}

interface Seen {
  readonly since: number;
  readonly lastSeconds: number;
  readonly detail: string;
}

/** Looks for signs that the node may soon fail. What they are worth is for the policies to say. */
export function watchHealth({ written, oomCounts, disks = makeDiskHealth() }: HealthOptions): HealthWatch {
  const memoryErrors = makeMemoryErrors();
  const readOnly = makeReadOnly(written);
  const oomKills = makeOomKills();
  const seen = new Map<HealthSignKind, Seen>();
  let health: NodeHealth | null = null;

  const lookAtAll = async (probe: Probe, seconds: number): Promise<readonly (readonly [HealthSignKind, Look])[]> => {
    const none: CgroupMounts = { v1: new Map(), v2: null };
    const mounts = (await probe.read("health", "/proc/self/mountinfo", parseCgroupMounts)) ?? none;
    const isConfined = await isConfinedNode(probe, mounts);
    return [
      ["disk-failing", await disks(probe, seconds)],
      ["memory-errors", await memoryErrors(probe, seconds)],
      ["overheating", await lookAtTemperatures(probe, seconds)],
      ["read-only-filesystem", await readOnly(probe, seconds)],
      ["out-of-memory-kills", await oomKills(probe, isConfined, mounts, oomCounts())],
      ["pressure-stall", await lookAtStalls(probe, isConfined, mounts)],
    ];
  };

  return {
    async look(probe, { at, seconds }) {
      const looks = await lookAtAll(probe, seconds);
      for (const [kind, { signs }] of looks) {
        if (signs.length > 0) seen.set(kind, { since: seen.get(kind)?.since ?? at, lastSeconds: seconds, detail: signs.join("; ") });
        else if (seconds - (seen.get(kind)?.lastSeconds ?? seconds) > LINGER_SECONDS) seen.delete(kind);
      }
      health = {
        at,
        signs: [...seen].map(([kind, { since, detail }]) => ({ kind, since, detail })),
        unread: looks.flatMap(([kind, { unread }]) => (unread === null ? [] : [{ kind, because: unread }])),
      };
    },
    current: () => health,
  };
}
