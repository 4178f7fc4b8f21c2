import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The page server's frames have their present form since this version (criu/page-xfer.c). */
const PAGE_FRAMES_SINCE = [4, 2] as const;

let canBeLazy = false;

/** Why memory cannot follow a workload after the commit from or to this node; null = it can, which is asked of CRIU once. */
export async function whyNotLazy(): Promise<string | null> {
  const why = canBeLazy ? null : await askCriu();
  canBeLazy = why === null;
  return why;
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
