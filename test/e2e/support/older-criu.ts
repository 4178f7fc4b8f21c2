import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../../../lab/folders.js";

/** Debian's stable release has an older CRIU (4.1) than the one that nodes of the lab run. */
const SUITE = "trixie";
const PACKAGES = ["criu", "libcompel1", "libnet1"];

/** A folder with a real, older build of CRIU and its libraries, fetched once by this machine's apt. Null where that cannot be had. */
export async function olderCriu(): Promise<string | null> {
  const folder = join(cacheFolder(), `criu-of-${SUITE}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    const { stdout: sites } = await execa("apt-get", ["indextargets", "--format", "$(SITE)"]);
    const site = sites.split("\n").find((line) => line !== "" && !line.includes("security"));
    const apt = join(partial, "apt");
    for (const part of ["lists/partial", "cache/archives/partial"]) await mkdir(join(apt, part), { recursive: true });
    const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    await writeFile(join(apt, "sources.list"), `deb [signed-by=${keyring}] ${site} ${SUITE} main\n`);
    const options = [
      `Dir::Etc::SourceList=${apt}/sources.list`,
      "Dir::Etc::SourceParts=/dev/null",
      `Dir::State::Lists=${apt}/lists`,
      `Dir::Cache=${apt}/cache`,
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    await execa("apt-get", [...options, "update", "-qq"]);
    await execa("apt-get", [...options, "download", ...PACKAGES], { cwd: partial });
    for (const name of await readdir(partial)) {
      if (name.endsWith(".deb")) await execa("dpkg-deb", ["--extract", join(partial, name), join(partial, "root")]);
    }
    await rename(join(partial, "root"), folder);
    return folder;
  } catch {
    return null;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
