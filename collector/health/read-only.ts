import { couldNotLook, found, type Looker } from "./look.js";

/** File systems that turn read-only by themselves after an error. */
const TURNING: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4", "btrfs", "f2fs", "jfs", "reiserfs", "bcachefs"]);

/** The node's own, not ours: under systemd a service may see all of them read-only. */
const INIT_MOUNTS = "/proc/1/mountinfo";

interface Mount {
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  readonly isReadOnly: boolean;
  /** Of the file system itself, whatever this mount says. */
  readonly isSystemReadOnly: boolean;
}

/**
 * File systems that were mounted for writing and have turned read-only, which is how the kernel answers errors on the disk below; and
 * folders that Docker or Evenkeel must write to and cannot. A root that is read-only by design is neither.
 */
export function makeReadOnly(written: () => Promise<readonly string[]>): Looker {
  return async (probe) => {
    const mounts = await probe.read("health", INIT_MOUNTS, parseMounts);
    if (mounts === null) return couldNotLook("the list of mounts cannot be read");
    const signs = new Map<string, string>();
    for (const { device, mountPoint, type, source, isReadOnly, isSystemReadOnly } of mounts) {
      if (TURNING.has(type) && isSystemReadOnly && !isReadOnly)
        signs.set(device, `${mountPoint} (${type} on ${source}) has turned read-only`);
    }
    for (const folder of await written()) {
      const mount = coveringMount(mounts, folder);
      if (mount !== null && (mount.isReadOnly || mount.isSystemReadOnly) && !signs.has(mount.device)) {
        signs.set(mount.device, `${folder} is on ${mount.mountPoint}, which is read-only`);
      }
    }
    return found([...signs.values()]);
  };
}

/** Reads /proc/<pid>/mountinfo (proc(5)). */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left, right] = line.split(" - ");
    const [, , device, , mountPoint, options] = left?.split(" ") ?? [];
    const [type, source, superOptions] = right?.split(" ") ?? [];
    if (device === undefined || mountPoint === undefined || options === undefined || superOptions === undefined) return [];
    const isIn = (list: string) => list.split(",").includes("ro");
    return [
      {
        device,
        mountPoint: decodePath(mountPoint),
        type: type ?? "",
        source: source ?? "",
        isReadOnly: isIn(options),
        isSystemReadOnly: isIn(superOptions),
      },
    ];
  });
}

/** The mount that a path is on: the kernel lists them as they were made, and a later one hides what was below its place before. */
function coveringMount(mounts: readonly Mount[], path: string): Mount | null {
  const isAbove = ({ mountPoint }: Mount) => mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
  return mounts.findLast(isAbove) ?? null;
}

/** The kernel writes space, tab, newline and backslash as octal numbers. */
function decodePath(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
