import { execFile } from "node:child_process";
import { access, constants, readFile, statfs } from "node:fs/promises";
import { machine, release } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { hasZstd } from "../channel/zstd.js";
import { checkCriu, readForbiddenLines } from "../criu-setup.js";
import { MOVE_PROTOCOL } from "../protocol.js";
import { readCertificate } from "./certificate.js";
import { readKernelLimits } from "./kernel-limits.js";
import type { FactSources, NodeFacts } from "./node-facts.js";

const run = promisify(execFile);

/** Program -> Debian package that brings it. */
export const TOOLS: Readonly<Record<string, string>> = {
  rsync: "rsync",
  nft: "nftables",
  ip: "iproute2",
  ss: "iproute2",
  tc: "iproute2",
  bridge: "iproute2",
  arping: "iputils-arping",
  nsenter: "util-linux",
  tar: "tar",
  du: "coreutils",
  perl: "perl-base",
};

/** statfs(2) types of file systems in memory: tmpfs, ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

export async function gatherFacts(sources: FactSources): Promise<NodeFacts> {
  const { node, runDirectory, tls } = sources;
  const [
    criu,
    criuConfig,
    runc,
    missingTools,
    zstd,
    hasUserfaultfd,
    tracksDirtyPages,
    ioUring,
    kernelLimits,
    engine,
    place,
    certificate,
    redis,
  ] = await Promise.all([
    readCriu(),
    readForbiddenLines(),
    versionOf("runc"),
    findMissingTools(),
    hasZstd(),
    hasFeature("uffd"),
    hasFeature("mem_dirty_track"),
    readIoUring(),
    readKernelLimits(),
    sources.engine(),
    readPlace(runDirectory),
    readCertificate(tls, node),
    sources.redis(),
  ]);
  return {
    node,
    protocol: MOVE_PROTOCOL,
    kernel: release(),
    architecture: machine(),
    criu,
    criuConfig,
    runc,
    nodeJs: process.versions.node,
    missingTools,
    hasZstd: zstd,
    hasUserfaultfd,
    tracksDirtyPages,
    ioUring,
    packetHold: sources.packetHold,
    kernelLimits,
    engine,
    runDirectory: place,
    certificate,
    redis,
  };
}

async function readCriu(): Promise<NodeFacts["criu"]> {
  const version = await versionOf("criu");
  return { version, trouble: version === null ? null : await checkCriu() };
}

/** The first version number that the program prints; null when it cannot be run. */
async function versionOf(program: string): Promise<string | null> {
  const { stdout } = await run(program, ["--version"]).catch(() => ({ stdout: "" }));
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? null;
}

async function hasFeature(feature: string): Promise<boolean> {
  return run("criu", ["check", "--feature", feature]).then(
    () => true,
    () => false,
  );
}

async function findMissingTools(): Promise<string[]> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const isThere = async (tool: string) => {
    const tries = folders.map((folder) => access(join(folder, tool), constants.X_OK));
    return Promise.any(tries).then(
      () => true,
      () => false,
    );
  };
  const found = await Promise.all(Object.keys(TOOLS).map(async (tool) => ({ tool, there: await isThere(tool) })));
  return found.filter(({ there }) => !there).map(({ tool }) => tool);
}

async function readIoUring(): Promise<NodeFacts["ioUring"]> {
  const setting = await readFile("/proc/sys/kernel/io_uring_disabled", "utf8").catch(() => null);
  if (setting === null) return "always allowed";
  return setting.trim() === "2" ? "off" : "allowed";
}

async function readPlace(path: string): Promise<NodeFacts["runDirectory"]> {
  const found = await statfs(path).catch(() => null);
  if (found === null) return { path, isThere: false, isInMemory: false, freeBytes: 0 };
  return { path, isThere: true, isInMemory: IN_MEMORY.has(found.type), freeBytes: found.bavail * found.bsize };
}
