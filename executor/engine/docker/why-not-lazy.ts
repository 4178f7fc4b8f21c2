import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { readTraits } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

const run = promisify(execFile);

/** The page server's frames have their present form since this version (criu/page-xfer.c). */
const PAGE_FRAMES_SINCE = [4, 2] as const;

const SYSCTL = "vm.unprivileged_userfaultfd";

let canBeLazy = false;

/** Why memory cannot follow a workload after the commit from or to this node; null = it can. CRIU is asked once. */
export async function whyNotLazy(host: DockerHost): Promise<string | null> {
  const why = canBeLazy ? null : await askCriu();
  canBeLazy = why === null;
  return why ?? (await whyNotRemapped(host));
}

/** CRIU makes the descriptor in the workload's own user namespace, where its root is nobody to the kernel (userfaultfd(2)). */
async function whyNotRemapped(host: DockerHost): Promise<string | null> {
  const allowed = await readFile(`/proc/sys/${SYSCTL.replaceAll(".", "/")}`, "utf8").catch(() => "1");
  if (allowed.trim() !== "0" || (await readTraits(host))["userNamespaces"] === "plain") return null;
  return `its Docker remaps users (userns-remap), who may use userfaultfd only with the sysctl ${SYSCTL}=1`;
}

async function askCriu(): Promise<string | null> {
  const { stdout } = await run("criu", ["--version"]).catch(() => ({ stdout: "" }));
  const [major = 0, minor = 0] = (/Version: (\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  const [needMajor, needMinor] = PAGE_FRAMES_SINCE;
  if (major < needMajor || (major === needMajor && minor < needMinor))
    return `CRIU ${major}.${minor} is older than ${PAGE_FRAMES_SINCE.join(".")}`;
  for (const feature of ["uffd", "uffd-noncoop"]) {
    const missing = await run("criu", ["check", "--feature", feature]).then(
      () => false,
      () => true,
    );
    if (missing) return `its kernel does not let CRIU use userfaultfd (criu check --feature ${feature})`;
  }
  return null;
}
