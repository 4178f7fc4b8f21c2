import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Finding, finding } from "../../platform/findings.js";

const run = promisify(execFile);
const CRIU_PLACES = (process.env["PATH"] ?? "").split(":");
const IMAGE = "cpuinfo.img";
const REMEMBERED = 100;
/** It looks at the kernel and writes a few hundred bytes: one that takes longer hangs. */
const CRIU_TIMEOUT = { timeout: 10_000, killSignal: "SIGKILL" } as const;
/** What CRIU says of a CPU that will not do (criu/arch/x86/cpu.c); of anything else that goes wrong it says something else. */
const MISMATCH = /^.*Error.*(CPU .*(do not match|mismatch|unsupported bits)|FPU feature required by image|missing support fxsave).*$/m;

/** CRIU's own comparison of two CPUs: what it wrote down on the source is checked on the destination. Both cost a program each, so both are kept. */
export interface CpuCheck {
  /** What this CPU can do, as CRIU's image in base64; null where CRIU cannot tell. */
  read(): Promise<string | null>;
  /** Whether what runs on the CPU in the image can go on on this one. */
  check(image: string | null): Promise<Finding[]>;
}

export function makeCpuCheck(runDirectory: string): CpuCheck {
  const images = new Map<string, Promise<string | null>>();
  const verdicts = new Map<string, Promise<Finding[]>>();
  return {
    read: async () =>
      remember(
        images,
        await identityOfCriu(),
        () => dump(runDirectory),
        (image) => image !== null,
      ),
    check: async (image) => {
      if (image === null) return [finding("cpu-unchecked", "`criu cpuinfo dump` gave nothing on the source")];
      const key = `${await identityOfCriu()} ${createHash("sha256").update(image).digest("hex")}`;
      const isVerdict = (findings: readonly Finding[]) => findings.every(({ code }) => code !== "cpu-unchecked");
      return remember(verdicts, key, () => compare(runDirectory, Buffer.from(image, "base64")), isVerdict);
    },
  };
}

/** What failed, or said nothing, is asked for anew the next time. */
function remember<T>(kept: Map<string, Promise<T>>, key: string, make: () => Promise<T>, isWorth: (value: T) => boolean): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= REMEMBERED) kept.clear();
  const made = make();
  kept.set(key, made);
  made.then(
    (value) => isWorth(value) || kept.delete(key),
    () => kept.delete(key),
  );
  return made;
}

/** Another program in its place is asked anew. */
async function identityOfCriu(): Promise<string> {
  for (const folder of CRIU_PLACES) {
    const seen = await stat(join(folder, "criu")).catch(() => null);
    if (seen !== null) return `${folder} ${seen.ino} ${seen.mtimeMs} ${seen.size}`;
  }
  return "none";
}

async function inFolder<T>(runDirectory: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(runDirectory, "cpu-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function dump(runDirectory: string): Promise<string | null> {
  return inFolder(runDirectory, async (folder) => {
    await run("criu", ["cpuinfo", "dump", "-D", folder], CRIU_TIMEOUT).catch(() => {});
    return readFile(join(folder, IMAGE)).then(
      (image) => image.toString("base64"),
      () => null,
    );
  });
}

/**
 * What CRIU itself takes for granted when it is told nothing: all instructions are here, and registers are saved in an area of the same size (programs
 * learn that once, when they start). More instructions are welcome, which `cpu` would refuse.
 */
function compare(runDirectory: string, image: Buffer): Promise<Finding[]> {
  return inFolder(runDirectory, async (folder) => {
    await writeFile(join(folder, IMAGE), image);
    try {
      await run("criu", ["cpuinfo", "check", "-D", folder, "--cpu-cap=fpu,ins"], CRIU_TIMEOUT);
      return [];
    } catch (error) {
      return [judgeRefusal(error as { stderr?: string; message: string })];
    }
  });
}

/** @param error of a `criu cpuinfo check` that did not end well */
export function judgeRefusal({ stderr = "", message }: { stderr?: string; message: string }): Finding {
  const mismatch = MISMATCH.exec(stderr)?.[0];
  if (mismatch !== undefined) return finding("cpu-features", mismatch.trim());
  const line = stderr.split("\n").find((each) => each.includes("Error")) ?? message.split("\n")[0] ?? "";
  return finding("cpu-unchecked", `\`criu cpuinfo check\` came to no verdict: ${line.trim()}`);
}
