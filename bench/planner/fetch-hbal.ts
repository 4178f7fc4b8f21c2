import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../../lab/folders.js";

/** How to run an hbal that is not installed. */
export interface FetchedHbal {
  readonly path: string;
  readonly libraryPath: string;
}

const PACKAGE = "ganeti-htools";
const PLAIN = { LC_ALL: "C" };

/**
 * Debian's hbal and the libraries that this machine lacks, unpacked into the cache: nothing is installed. Done once; later it is found there.
 * @throws Error of apt-get when the package cannot be had
 */
export async function fetchHbal(folder = join(cacheFolder(), "hbal")): Promise<FetchedHbal> {
  if (!existsSync(folder)) {
    await mkdir(dirname(folder), { recursive: true });
    const work = await mkdtemp(`${folder}-`);
    try {
      const root = join(work, "root");
      await mkdir(root);
      await execa("apt-get", ["download", "-qq", ...(await missingPackages())], { cwd: work, env: PLAIN });
      for (const name of await readdir(work)) if (name.endsWith(".deb")) await execa("dpkg", ["-x", join(work, name), root]);
      await rename(root, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return findHbal(folder);
}

/** What an installation would bring, by a simulated one. Package lists are renewed when they do not know the package. */
async function missingPackages(): Promise<string[]> {
  const simulate = () => execa("apt-get", ["install", "-s", "--no-install-recommends", PACKAGE], { env: PLAIN });
  const { stdout } = await simulate().catch(async () => {
    await execa("apt-get", ["update", "-qq"], { env: PLAIN });
    return simulate();
  });
  return parseSimulation(stdout);
}

/** Lines such as `Inst libpcre3 (2:8.39-15 Debian:12.5/oldstable [amd64])`. */
export function parseSimulation(output: string): string[] {
  return [...output.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name as string);
}

async function findHbal(root: string): Promise<FetchedHbal> {
  const versions = join(root, "usr/lib/ganeti");
  const [version] = existsSync(versions)
    ? (await readdir(versions))
        .filter((name) => /^\d/.test(name))
        .sort()
        .reverse()
    : [];
  if (version === undefined) throw new Error(`there is no hbal in ${root}: remove that folder, and it is fetched again`);
  const libraries: string[] = [];
  for (const base of ["lib", "usr/lib"]) {
    const folder = join(root, base);
    if (!existsSync(folder)) continue;
    for (const name of await readdir(folder)) if (name.includes("-linux-")) libraries.push(join(folder, name));
  }
  return { path: join(versions, version, "usr/bin/hbal"), libraryPath: libraries.join(":") };
}
