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

/** CRIU's own comparison of two CPUs: what it wrote down on the source is checked on the destination. Both cost a program each, so both are kept. */
export interface CpuCheck {
  /** What this CPU can do, as CRIU's image in base64; null where CRIU cannot tell. */
  read(): Promise<string | null>;
  /** Whether this CPU has all instructions of the one in the image. */
  check(image: string | null): Promise<Finding[]>;
}

export function makeCpuCheck(runDirectory: string): CpuCheck {
  const images = new Map<string, Promise<string | null>>();
  const verdicts = new Map<string, Promise<Finding[]>>();
  return {
    read: async () => remember(images, await identityOfCriu(), () => dump(runDirectory)),
    check: async (image) => {
      if (image === null) return [finding("cpu-unchecked", "`criu cpuinfo dump` gave nothing on the source")];
      const key = `${await identityOfCriu()} ${createHash("sha256").update(image).digest("hex")}`;
      return remember(verdicts, key, () => compare(runDirectory, Buffer.from(image, "base64")));
    },
  };
}

function remember<T>(kept: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= REMEMBERED) kept.clear();
  const made = make();
  kept.set(key, made);
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
    await run("criu", ["cpuinfo", "dump", "-D", folder]).catch(() => {});
    return readFile(join(folder, IMAGE)).then(
      (image) => image.toString("base64"),
      () => null,
    );
  });
}

/** `ins`: the instructions only. A newer CPU that has more is welcome, which `cpu` would refuse. */
function compare(runDirectory: string, image: Buffer): Promise<Finding[]> {
  return inFolder(runDirectory, async (folder) => {
    await writeFile(join(folder, IMAGE), image);
    try {
      await run("criu", ["cpuinfo", "check", "-D", folder, "--cpu-cap=ins"]);
      return [];
    } catch (error) {
      const { stderr = "", code } = error as { stderr?: string; code?: number | string };
      if (typeof code === "string") return [finding("cpu-unchecked", "criu cannot be run here")];
      return [finding("cpu-features", stderr.split("\n").find((line) => line.includes("Error")) ?? "`criu cpuinfo check` refused it")];
    }
  });
}
