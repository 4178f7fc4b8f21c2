import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { EvenkeelError } from "../../platform/errors.js";
import type { FileTree, WorkloadDescription } from "../engine/engine.js";
import type { IncomingStatus } from "./protocol.js";

/** What this node holds of a migration that comes in; as JSON beside the images, so that it survives a restart of the executor. */
export interface Half {
  readonly description: WorkloadDescription;
  readonly containerId: string | null;
  readonly trees: readonly FileTree[];
  readonly state: IncomingStatus["state"];
  /** The twin is being made or was: volumes and folders of these names are its own, for there were none. */
  readonly isMade?: boolean;
  readonly isCold?: boolean;
  /** Where memory that follows after the commit is expected; null = none follows. */
  readonly pagePort: number | null;
  /** Its memory was lost after the commit: it is to be started without, `isStarted` once it was. */
  readonly startedAnew?: boolean;
  readonly isStarted?: boolean;
}

export type HalfWithTwin = Half & { readonly containerId: string };

export type Halves = ReturnType<typeof keepHalves>;

/** The halves of all migrations that come in, each in its folder on tmpfs. */
export function keepHalves(runDirectory: string, node: string) {
  const home = `${runDirectory}/incoming`;
  const folder = (id: string) => `${home}/${id}`;
  const path = (id: string) => `${folder(id)}/half.json`;

  async function find(id: string): Promise<Half | null> {
    const text = await readFile(path(id), "utf8").catch(() => null);
    return text === null ? null : (JSON.parse(text) as Half);
  }

  /** @throws MIGRATION_NOT_FOUND */
  async function read(id: string): Promise<Half> {
    const half = await find(id);
    if (half === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: nothing of it is on ${node}`);
    return half;
  }

  return {
    find,
    read,
    /** @throws MIGRATION_NOT_FOUND */
    async readWithTwin(id: string): Promise<HalfWithTwin> {
      const half = await read(id);
      if (half.containerId === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", `${id}: no twin was made on ${node}`);
      return { ...half, containerId: half.containerId };
    },
    async write(id: string, half: Half): Promise<void> {
      // Without giving way, for it stands in the freeze as well.
      mkdirSync(folder(id), { recursive: true, mode: 0o700 });
      // Whole at any moment, for an executor that is killed here and for who asks meanwhile.
      writeFileSync(`${path(id)}.new`, JSON.stringify(half), { mode: 0o600 });
      renameSync(`${path(id)}.new`, path(id));
    },
    forget: (id: string) => rm(folder(id), { recursive: true, force: true }),
    /** Of all migrations that this node has a half of, from before a restart too. */
    ids: (): Promise<string[]> => readdir(home).catch(() => []),
    rsyncConfig: (id: string) => `${folder(id)}/rsyncd.conf`,
    /** Where the runtime looks for the restore of a container. */
    pendingFolder: (containerId: string) => `${runDirectory}/in/${containerId}`,
  };
}
