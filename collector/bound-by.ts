import type { ContainerInfo } from "dockerode";
import type { FindingCode } from "../platform/findings.js";
import { foldersAllowed, mayLeaveHost, overlap } from "../platform/host-folders.js";
import { LABELS, type WorkloadSample } from "./protocol.js";

export type Mount = Pick<ContainerInfo["Mounts"][number], "Type" | "Name" | "Source" | "Driver" | "RW">;
/** A container as Docker lists it, whether it runs or not. */
export type Listed = Pick<ContainerInfo, "Id" | "Names"> & { readonly Mounts: readonly Mount[] };
export type Bond = NonNullable<WorkloadSample["boundBy"]>[number];

/** One would do: a sample is sent every few seconds, and the executors' preflight names them all. */
const TOLD_MOST = 3;

/**
 * What the executors' preflight will find of a container's mounts that keeps it on its node, wherever it is to go: the same codes and words, as far as
 * Docker's own answers tell. Whether a folder is one, or has mounts in it, and whether what it only reads is the same elsewhere, they look at themselves.
 * @param mountPoints of the node: what the driver local mounts into a volume (NFS, a folder, memory) is mounted as long as a container that has it runs
 */
export function boundBy(
  id: string,
  mounts: readonly Mount[],
  labels: Readonly<Record<string, string>>,
  listed: readonly Listed[],
  mountPoints: ReadonlySet<string>,
): readonly Bond[] {
  if (mounts.length === 0) return NOTHING;
  const moving = foldersAllowed(labels[LABELS.bindMounts]);
  const others = listed.filter(({ Id }) => Id !== id);
  const bonds = mounts.flatMap((mount) => bondsOf(mount, moving, others, mountPoints));
  // What is mounted at two places is told once.
  return [...new Map(bonds.map((each) => [each.because, each])).values()].slice(0, TOLD_MOST);
}

const NOTHING: readonly Bond[] = [];
/** What Docker calls a volume that nobody has named: no two are alike. */
const NAMELESS = /^[0-9a-f]{64}$/;

/** Names of the volumes, in order, that another node may have too. */
export function namedVolumes(mounts: readonly Mount[]): string[] {
  const names = mounts.flatMap(({ Type, Name = "" }) => (Type === "volume" && !NAMELESS.test(Name) ? [Name] : []));
  return [...new Set(names)].sort();
}

function bondsOf(
  { Type, Name = "", Source, Driver = "local", RW }: Mount,
  moving: ReadonlySet<string>,
  others: readonly Listed[],
  mountPoints: ReadonlySet<string>,
): Bond[] {
  if (Type === "volume") {
    const users = usersOf(others, (mount) => mount.Type === "volume" && mount.Name === Name);
    return [
      ...(Driver === "local" ? [] : [bond("volume-driver", `Volume ${Name} has driver ${Driver}`)]),
      ...(Driver === "local" && mountPoints.has(Source)
        ? [bond("volume-elsewhere", `Volume ${Name} is a mount of what is kept elsewhere`)]
        : []),
      ...(users === "" ? [] : [bond("volume-shared", `Volume ${Name} is also used by ${users}`)]),
    ];
  }
  if (Type !== "bind") return [];
  if (Source === "" || !moving.has(Source)) return RW ? [bond("bind-mount", `It mounts ${Source} of this host and may write to it`)] : [];
  if (!mayLeaveHost(Source)) return [bond("bind-mount-unfit", `${Source} is not a folder that can move away from a host`)];
  const users = usersOf(others, (mount) => mount.Type === "bind" && overlap(mount.Source, Source));
  return users === "" ? [] : [bond("bind-mount-shared", `${Source} is also used by ${users}`)];
}

/** Names of those that have such a mount; empty = nobody. */
function usersOf(others: readonly Listed[], isIt: (mount: Mount) => boolean): string {
  return others
    .filter(({ Mounts }) => Mounts?.some(isIt))
    .map(({ Names }) => Names[0]?.slice(1) ?? "?")
    .join(", ");
}

function bond(code: FindingCode, because: string): Bond {
  return { code, because };
}
