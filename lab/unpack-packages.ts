import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "./folders.js";
import { DEBIAN_KEYRING, ensureTools } from "./host-tools.js";
import { withLock } from "./kernel-lock.js";
import { debianMirror, whyNoDebian } from "./root-file-system.js";

/**
 * A folder of the cache with packages of a Debian release unpacked in it, fetched now unless they are there. Nothing is installed, and this machine's own
 * package lists, which may be old or missing, are neither read nor changed.
 * @throws Error where `whyNoDebian` has a reason, or of apt-get when there is no such package
 */
export async function unpackPackages(name: string, suite: string, packages: readonly string[]): Promise<string> {
  const folder = join(cacheFolder(), `${name}-of-${suite}`);
  if (existsSync(folder)) return folder;
  const site = await debianMirror();
  if (site === null) throw new Error(whyNoDebian() ?? "this machine's apt has no mirror of Debian");
  await ensureTools({ [DEBIAN_KEYRING]: "debian-archive-keyring" });
  return withLock(join(cacheFolder(), `.${name}-of-${suite}.lock`), async () => {
    if (existsSync(folder)) return folder;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    try {
      const apt = join(partial, "apt");
      for (const part of ["lists/partial", "cache/archives/partial"]) await mkdir(join(apt, part), { recursive: true });
      await writeFile(join(apt, "sources.list"), `deb [signed-by=${DEBIAN_KEYRING}] ${site} ${suite} main\n`);
      const options = [
        `Dir::Etc::SourceList=${apt}/sources.list`,
        "Dir::Etc::SourceParts=/dev/null",
        `Dir::State::Lists=${apt}/lists`,
        `Dir::Cache=${apt}/cache`,
        "APT::Sandbox::User=root",
      ].flatMap((option) => ["-o", option]);
      await execa("apt-get", [...options, "update", "-qq"]);
      await execa("apt-get", [...options, "download", "-qq", ...packages], { cwd: partial });
      for (const file of await readdir(partial)) {
        if (file.endsWith(".deb")) await execa("dpkg-deb", ["--extract", join(partial, file), join(partial, "root")]);
      }
      await rename(join(partial, "root"), folder);
      return folder;
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  });
}
