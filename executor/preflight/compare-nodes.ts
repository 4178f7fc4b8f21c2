import { type Finding, type FindingCode, finding } from "../../platform/findings.js";
import { CLOCK_SKEW_FAIL_SECONDS, holdFindings } from "./check-node.js";
import { isOlder } from "./compare-versions.js";
import { lowerLimitFindings } from "./kernel-limits.js";
import type { NodeFacts } from "./node-facts.js";

/** Kernel, CRIU and runc matter by their first two numbers: the third is for repairs. */
const release = (version: string) => version.split(".").slice(0, 2).join(".");

/** It knows `network-lock skip`. */
const LEAST_CRIU = "3.19";

/** What stands between two nodes, whatever is to be moved from the first to the second. */
export function compareNodes(source: NodeFacts, destination: NodeFacts): Finding[] {
  return [
    ...protocolFindings(source, destination),
    ...olderFindings(source, destination),
    ...abilityFindings(destination),
    ...traitFindings(source, destination),
    ...lowerLimitFindings(source.kernelLimits, destination.kernelLimits),
    ...clockFindings(source, destination),
    ...holdFindings(destination),
  ];
}

/** Of what two executors tell of themselves; both ends look, since one from before there was a protocol does not. */
export function protocolFindings(
  source: Pick<NodeFacts, "node" | "protocol">,
  destination: Pick<NodeFacts, "node" | "protocol">,
): Finding[] {
  const [there, here] = [source.protocol ?? 1, destination.protocol ?? 1];
  return there === here ? [] : [finding("differs-protocol", `${there} on ${source.node}, ${here} on ${destination.node}`)];
}

function olderFindings(source: NodeFacts, destination: NodeFacts): Finding[] {
  const found = (code: FindingCode, what: string, there: string | null, here: string | null) => {
    if (there === null || here === null || !isOlder(release(here), release(there))) return [];
    return [finding(code, `${what} ${here} on ${destination.node}, ${there} on ${source.node}`)];
  };
  return [
    ...found("criu-older", "CRIU", source.criu.version, destination.criu.version),
    ...found("runc-older", "runc", source.runc, destination.runc),
    ...found("kernel-older", "Linux", source.kernel, destination.kernel),
  ];
}

/** What keeps a node from saving or restoring anything at all. */
export function abilityFindings({ node, criu, criuConfig, runc, missingTools }: NodeFacts): Finding[] {
  return [
    ...(criu.version === null ? [finding("criu-missing", `on ${node}`)] : []),
    ...(criu.version !== null && isOlder(criu.version, LEAST_CRIU)
      ? [finding("criu-broken", `${node}: CRIU ${criu.version} cannot leave the network to others; ${LEAST_CRIU} is the first that can`)]
      : []),
    ...(criu.trouble === null ? [] : [finding("criu-broken", `${node}: ${criu.trouble}`)]),
    ...(runc === null ? [finding("runc-missing", `on ${node}`)] : []),
    ...criuConfig.map((line) => finding("criu-config", `${node}: ${line}`)),
    ...(missingTools.length > 0 ? [finding("tool-missing", `${missingTools.join(", ")} on ${node}`)] : []),
  ];
}

function traitFindings(source: NodeFacts, destination: NodeFacts): Finding[] {
  if (source.engine === null || destination.engine === null) return [];
  const here = destination.engine.traits;
  return Object.entries(source.engine.traits)
    .filter(([trait, value]) => here[trait] !== value)
    .map(([trait, value]) =>
      finding(`differs-${trait}` as FindingCode, `${trait}: ${value} on ${source.node}, ${here[trait]} on ${destination.node}`),
    );
}

function clockFindings(source: NodeFacts, destination: NodeFacts): Finding[] {
  if (source.redis === null || destination.redis === null) return [];
  const skew = Math.abs(source.redis.clockOffsetSeconds - destination.redis.clockOffsetSeconds);
  return skew > CLOCK_SKEW_FAIL_SECONDS ? [finding("clocks-differ", `by ${skew.toFixed(1)} s`)] : [];
}
