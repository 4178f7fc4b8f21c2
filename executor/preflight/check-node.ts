import { type Check, type Finding, finding } from "../../platform/findings.js";
import { bareVersion, isOlder } from "./compare-versions.js";
import { TOOLS } from "./gather-facts.js";
import type { EngineFacts, NodeFacts } from "./node-facts.js";
import { mebibytes } from "./room.js";

const PROVEN_DOCKER = "28.0";
const PROVEN_CRIU = "4.2";
const PROVEN_RUNC = "1.3";
/** The oldest of each line of Node.js that the build's own packages accept: `engines` of package.json. */
const PROVEN_NODE_JS = ["20.19", "22.12"] as const;
const DISK_LOW_RATIO = 0.1;
const EXPIRES_SOON_SECONDS = 30 * 86_400;
/** scheduler/fleet/place-workloads.ts takes a reading for one from after a commit from this much on. */
export const CLOCK_SKEW_FAIL_SECONDS = 3;
const CLOCK_SKEW_WARN_SECONDS = 0.5;

/** Everything that can be said of a node by itself, good and bad, in the order in which somebody would set it up. */
export function checkNode(facts: NodeFacts, now: number): Check[] {
  const { engine, criu } = facts;
  return [
    judge("kernel", `${facts.kernel} on ${facts.architecture}`, []),
    judge("node.js", facts.nodeJs, isProvenNodeJs(facts.nodeJs) ? [] : [finding("node-js-version", `Node.js ${facts.nodeJs}`)]),
    ...(engine === null ? [judge("docker", "", [finding("docker", "Docker does not answer")])] : checkEngine(engine)),
    judge("runc", facts.runc ?? "", checkRunc(facts)),
    judge("criu", criu.version ?? "", checkCriuFacts(facts)),
    judge(
      "criu configuration",
      "nothing in the way",
      facts.criuConfig.map((line) => finding("criu-config", line)),
    ),
    judge("lazy restore", "userfaultfd works", facts.hasUserfaultfd ? [] : [finding("userfaultfd", "userfaultfd cannot be had")]),
    judge("pre-copy", "dirty pages are tracked", facts.tracksDirtyPages ? [] : [finding("soft-dirty", "dirty pages are not tracked")]),
    judge("io_uring", "switched off", checkIoUring(facts)),
    judge("packets", `held by ${facts.packetHold.means}`, holdFindings(facts)),
    judge(
      "programs",
      Object.keys(TOOLS).join(", "),
      facts.missingTools.map((tool) => finding("tool-missing", `${tool} (package ${TOOLS[tool]})`)),
    ),
    judge("compression", "zstd", facts.hasZstd ? [] : [finding("zstd-missing", "`zstd --version` cannot be run (package zstd)")]),
    judge("run directory", `${facts.runDirectory.path}, ${mebibytes(facts.runDirectory.freeBytes)} free`, checkRunDirectory(facts)),
    ...checkCertificate(facts, now),
    ...checkRedis(facts),
  ];
}

/** A node that cannot hold packets loses those that come during the blackout of a workload that comes to it. */
export function holdFindings({ node, packetHold }: NodeFacts): Finding[] {
  return packetHold.means === null ? [finding("packets-not-held", `${node}: ${packetHold.reason}`)] : [];
}

function judge(topic: string, found: string, findings: readonly Finding[]): Check {
  const worst = findings.find(({ severity }) => severity === "fail") ?? findings[0];
  if (worst === undefined) return { topic, status: "ok", found };
  const message = findings.filter(({ code }) => code === worst.code).map((each) => each.message);
  return { topic, status: worst.severity, finding: { ...worst, message: message.join("; ") } };
}

function checkEngine(engine: EngineFacts): Check[] {
  const { version, storageDriver, runtimeTrouble, folder, freeBytes, totalBytes } = engine;
  const isLow = freeBytes < DISK_LOW_RATIO * totalBytes;
  return [
    judge("docker", version, [
      ...(engine.isRootless ? [finding("rootless", "Docker runs without root")] : []),
      ...(isOlder(version, PROVEN_DOCKER) ? [finding("docker-version", `Docker ${version}`)] : []),
    ]),
    judge(
      "storage driver",
      storageDriver,
      ["overlay2", "overlayfs"].includes(storageDriver) ? [] : [finding("storage-driver", `it is ${storageDriver}`)],
    ),
    judge("runtime", "evenkeel is registered", runtimeTrouble === null ? [] : [finding("runtime-missing", runtimeTrouble)]),
    judge("user namespaces", engine.traits["userNamespaces"] ?? "?", []),
    judge(
      "disk",
      `${folder}, ${mebibytes(freeBytes)} free`,
      isLow ? [finding("disk-low", `${folder} has ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} free`)] : [],
    ),
  ];
}

function isProvenNodeJs(version: string): boolean {
  const [older, newer] = PROVEN_NODE_JS;
  return !isOlder(version, newer) || (!isOlder(version, older) && isOlder(version, "21"));
}

function checkRunc({ runc }: NodeFacts): Finding[] {
  if (runc === null) return [finding("runc-missing", "`runc --version` cannot be run")];
  return isOlder(runc, PROVEN_RUNC) ? [finding("runc-version", `runc ${runc}`)] : [];
}

function checkIoUring({ ioUring, kernel }: NodeFacts): Finding[] {
  if (ioUring === "off") return [];
  const why = ioUring === "allowed" ? "kernel.io_uring_disabled is not 2" : `Linux ${kernel} has no setting that switches it off`;
  return [finding("io-uring-allowed", why)];
}

function checkRunDirectory({ runDirectory: { path, isThere, isInMemory } }: NodeFacts): Finding[] {
  if (!isThere) return [finding("run-directory", `${path} is not there yet`)];
  return isInMemory ? [] : [finding("run-directory", `${path} is on a disk`)];
}

function checkCriuFacts({ criu }: NodeFacts): Finding[] {
  if (criu.version === null) return [finding("criu-missing", "`criu --version` cannot be run")];
  return [
    ...(criu.trouble === null ? [] : [finding("criu-broken", criu.trouble)]),
    ...(isOlder(bareVersion(criu.version), PROVEN_CRIU) ? [finding("criu-version", `CRIU ${criu.version}`)] : []),
  ];
}

function checkCertificate({ certificate }: NodeFacts, now: number): Check[] {
  const { path, trouble, expiresAt } = certificate;
  const until = expiresAt === null ? "" : `good until ${new Date(expiresAt * 1000).toISOString().slice(0, 10)}`;
  const isOldSoon = expiresAt !== null && expiresAt - now < EXPIRES_SOON_SECONDS;
  return [
    judge("certificate", until, [
      ...(trouble === null ? [] : [finding("certificate", `${path}: ${trouble}`)]),
      ...(trouble === null && isOldSoon ? [finding("certificate-expiring", `${path} is ${until}`)] : []),
    ]),
  ];
}

function checkRedis({ redis }: NodeFacts): Check[] {
  if (redis === null) return [judge("redis", "", [finding("redis", "it does not answer")])];
  const { evictionPolicy, appendOnly, appendFsync, clockOffsetSeconds } = redis;
  const isHidden = evictionPolicy === null || appendOnly === null || appendFsync === null;
  const skew = Math.abs(clockOffsetSeconds);
  const severity = skew > CLOCK_SKEW_FAIL_SECONDS ? "fail" : "warn";
  return [
    judge("redis", "keeps every key and every acknowledged write", [
      ...(isHidden ? [finding("redis-unreadable", "CONFIG GET is refused")] : []),
      ...(evictionPolicy !== null && evictionPolicy !== "noeviction"
        ? [finding("redis-evicts", `maxmemory-policy is ${evictionPolicy}`)]
        : []),
      ...(!isHidden && (appendOnly !== "yes" || appendFsync !== "always")
        ? [finding("redis-forgets", `appendonly is ${appendOnly}, appendfsync is ${appendFsync}`)]
        : []),
    ]),
    judge(
      "clock",
      "as that of Redis",
      skew > CLOCK_SKEW_WARN_SECONDS ? [finding("clock-skew", `it differs by ${skew.toFixed(1)} s`, { severity })] : [],
    ),
  ];
}
