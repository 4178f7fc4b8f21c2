import { posix } from "node:path";
import { EvenkeelError } from "../../../platform/errors.js";
import { type FileTree, LOG_TREE, ROOT_TREE } from "../engine.js";
import { movingFolders } from "./bind-mounts.js";
import type { Inspection } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { findUpperFolder } from "./upper-folder.js";
import { asInspected } from "./volumes.js";

/** Where the log driver `local` keeps all that a container has printed, below the container's folder. */
const LOCAL_LOGS = "local-logs";

/** The file trees that travel with a container: its root file system's changes, its named volumes, its folders of the host, its logs with those that rotation may make. */
export async function treesOf(host: DockerHost, seen: Inspection): Promise<FileTree[]> {
  const upper = await findUpperFolder(host, seen);
  if (upper === null) throw new EvenkeelError("ENGINE_FAILED", `storage driver ${seen.GraphDriver?.Name ?? "?"} shows no upper folder`);
  const volumes = seen.Mounts.filter((mount) => mount.Type === "volume")
    .sort((a, b) => (a.Destination < b.Destination ? -1 : 1))
    .map((mount, index) => ({
      name: `volume-${index}`,
      path: mount.Source,
      mountedAt: mount.Destination,
      ...subpathOf(seen.HostConfig, mount.Destination),
    }));
  const folders = movingFolders(seen).map((each, index) => ({ name: `folder-${index}`, path: each.source, mountedAt: each.destination }));
  return [{ name: ROOT_TREE, path: upper, mountedAt: "/" }, ...volumes, ...folders, ...logsOf(await containerFolder(host, seen.Id), seen)];
}

function subpathOf({ Mounts }: Inspection["HostConfig"], destination: string): Pick<FileTree, "subpath"> {
  const options = Mounts?.find(({ Target }) => asInspected(Target) === destination)?.VolumeOptions as { Subpath?: string } | undefined;
  return options?.Subpath ? { subpath: posix.normalize(options.Subpath).replace(/\/$/, "") } : {};
}

/** The folder of a twin's logs, which Docker makes at the first start only. */
export async function logFolderOf(host: DockerHost, seen: Inspection): Promise<string | null> {
  return seen.HostConfig.LogConfig?.Type === "local" ? `${await containerFolder(host, seen.Id)}/${LOCAL_LOGS}` : null;
}

/** Docker tells LogPath only once the container has been started, and the log has to be there before. What was rotated stands beside it, numbered. */
function logsOf(folder: string, { Id, HostConfig }: Inspection): FileTree[] {
  const { Type, Config = {} } = HostConfig.LogConfig ?? {};
  if (Type === "local") return [{ name: LOG_TREE, path: `${folder}/${LOCAL_LOGS}` }];
  if (Type !== "json-file") return [];
  const options = Config as Readonly<Record<string, string>>;
  const rotated = Math.max(0, Number(options["max-file"] ?? 1) - 1);
  const isPacked = options["compress"] === "true";
  const suffix = isPacked ? ".gz" : "";
  const file = `${Id}-json.log`;
  // Packed beside the program, which takes as long as it takes.
  const unpacked = isPacked && rotated > 0 ? [{ name: `${LOG_TREE}-unpacked`, path: folder, file: `${file}.1`, isPassing: true }] : [];
  const older = Array.from({ length: rotated }, (_, index) => ({
    name: `${LOG_TREE}-${index + 1}`,
    path: folder,
    file: `${file}.${index + 1}${suffix}`,
  }));
  return [{ name: LOG_TREE, path: folder, file }, ...unpacked, ...older];
}

/** Where Docker keeps what belongs to one container: log, hostname, shared memory. */
export async function containerFolder(host: DockerHost, containerId: string): Promise<string> {
  return `${await host.rootFolder()}/containers/${containerId}`;
}
