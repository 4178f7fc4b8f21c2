import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { cacheFolder } from "./folders.js";
import { DEBIAN_KEYRING, ensureTools } from "./host-tools.js";
import { withLock } from "./kernel-lock.js";
import { SUITE } from "./root-recipe.js";

export type Progress = (step: string, percent?: number) => void;

/** Raise to build anew although the packages are the same. */
const RECIPE_VERSION = 1;
const SCRIPTS = "/usr/share/debootstrap";
const QUIET_APT = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
/** A build's processes and mounts end with this process, however it ends: a later run must find the partial tree at rest. */
const APART = ["--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--"];
/** A minimal base system: what debootstrap prints "Retrieving" and "Unpacking" lines for, about. */
const BASE_STEPS = 330;

/**
 * The folder of a Debian root file system with the packages, built now (about 90 s) unless the cache has it.
 * It holds manifest.json beside the tree's own folders: package -> version. The tree is shared: never write into it.
 */
export async function buildRoot(name: string, packages: readonly string[], onProgress: Progress = () => undefined): Promise<string> {
  const recipe = JSON.stringify({ RECIPE_VERSION, SUITE, packages });
  const id = `${name}-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`;
  const folder = join(cacheFolder(), id);
  if (existsSync(folder)) return folder;
  return withLock(join(cacheFolder(), `.${id}.lock`), async () => {
    // Another run may have built it while we waited.
    if (existsSync(folder)) return folder;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    onProgress("looking for debootstrap");
    await ensureTools({ debootstrap: "debootstrap", [DEBIAN_KEYRING]: "debian-archive-keyring" });
    await bootstrap(partial, onProgress);
    await install(partial, packages, onProgress);
    await writeManifest(partial);
    await rename(partial, folder);
    return folder;
  });
}

/** Null on Debian itself. */
export function whyNoDebian(): string | null {
  return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8")) ? null : "this machine's apt does not lead to Debian";
}

/** The mirror this machine's apt uses; null when it is not Debian's. */
export async function debianMirror(): Promise<string | null> {
  if (whyNoDebian() !== null) return null;
  const { stdout } = await execa("apt-get", ["indextargets", "--format", "$(SITE)"]);
  return stdout.split("\n").find((line) => line !== "" && !line.includes("security")) ?? null;
}

/** How this machine's apt reaches its mirror (proxy, and what age of it is accepted): the tree's apt reaches the same one. */
async function hostDownloadSettings(): Promise<string> {
  const { stdout } = await execa("apt-config", ["dump"]);
  const lines = stdout.split("\n").filter((line) => /^Acquire::(Check-Valid-Until|Check-Date|https?::|ForceIPv[46])/.test(line));
  return `${lines.join("\n")}\n`;
}

async function bootstrap(target: string, onProgress: Progress): Promise<void> {
  const scripts = `${target}.scripts`;
  await rm(scripts, { recursive: true, force: true });
  await cp(SCRIPTS, scripts, { recursive: true });
  // An older debootstrap does not know the release; it is laid out like every other.
  const script = join(scripts, "scripts", SUITE);
  if (!existsSync(script)) await symlink("sid", script);
  // Without one debootstrap has its own choice.
  const mirror = await debianMirror();
  let steps = 0;
  await followed(
    "debootstrap",
    ["--variant=minbase", SUITE, target, ...(mirror === null ? [] : [mirror])],
    { DEBOOTSTRAP_DIR: scripts },
    (line) => {
      if (/^I: (Retrieving|Validating|Extracting|Unpacking|Configuring)/.test(line)) steps += 1;
      onProgress("building the base system", Math.min(99, Math.round((steps / BASE_STEPS) * 100)));
    },
  );
  await rm(scripts, { recursive: true, force: true });
}

async function install(target: string, packages: readonly string[], onProgress: Progress): Promise<void> {
  // No service is to start in the tree while it is being built.
  await writeFile(join(target, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n");
  await chmod(join(target, "usr/sbin/policy-rc.d"), 0o755);
  await copyFile("/etc/resolv.conf", join(target, "etc/resolv.conf")).catch(() => undefined);
  await writeFile(join(target, "etc/apt/apt.conf.d/99host"), await hostDownloadSettings());
  onProgress("reading package lists");
  await execa("chroot", [target, "apt-get", "update", "-qq"], { env: QUIET_APT });
  const apt = [
    "apt-get",
    "install",
    "-y",
    "-q",
    "--no-install-recommends",
    "-o",
    "APT::Status-Fd=3",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Acquire::Retries=3",
    ...packages,
  ];
  // Some packages' scripts (Java's, PostgreSQL's) need /proc. Not descriptor 1 itself: apt closes its status descriptor for the scripts.
  const inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@" 3>&1';
  await followed("sh", ["-c", inside, target, ...apt], QUIET_APT, (line) => {
    // dlstatus:file:percent:words, pmstatus:package:percent:words
    const [kind, , percent] = line.split(":");
    if (kind === "dlstatus") onProgress("fetching packages", Math.round(Number(percent)));
    if (kind === "pmstatus") onProgress("installing packages", Math.round(Number(percent)));
  });
  await execa("chroot", [target, "apt-get", "clean"]);
  await rm(join(target, "var/lib/apt/lists"), { recursive: true, force: true });
  await mkdir(join(target, "var/lib/apt/lists/partial"), { recursive: true });
  // Docker's userns-remap would make the user at each node's first start.
  await execa("chroot", [target, "useradd", "--system", "--no-create-home", "--shell", "/bin/false", "dockremap"]);
}

async function writeManifest(target: string): Promise<void> {
  const { stdout } = await execa("chroot", [target, "dpkg-query", "-W"]);
  const versions = Object.fromEntries(stdout.split("\n").map((line) => line.split("\t")));
  await writeFile(join(target, "manifest.json"), JSON.stringify(versions, null, 2));
}

/** Runs a command and hands on each line; on failure the error ends with the last of them. */
async function followed(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  onLine: (line: string) => void,
): Promise<void> {
  const child = execa("setpriv", [...APART, command, ...args], { env, all: true, buffer: false, reject: false, stdin: "ignore" });
  const last: string[] = [];
  for await (const line of createInterface({ input: child.all })) {
    onLine(line);
    last.push(line);
    if (last.length > 15) last.shift();
  }
  const result = await child;
  if (result.exitCode !== 0) throw new Error(`${command} ended with ${result.exitCode ?? result.signal}:\n${last.join("\n")}`);
}
