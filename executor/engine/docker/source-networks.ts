import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LABELS } from "../../../collector/protocol.js";
import { type Finding, finding } from "../../../platform/findings.js";
import type { NetworkAttachment, WorkloadDescription } from "../engine.js";
import type { DockerConfig } from "./describe.js";

const run = promisify(execFile);

/** What becomes of the workload's networks, judged where it runs. A network of the host has a finding of its own. */
export function sourceNetworkFindings({ networks, engineConfig }: WorkloadDescription): Finding[] {
  const ending = networks.filter((each) => !each.keeps && each.driver !== "host");
  if (ending.length === 0) return [];
  const foreign = ending.filter((each) => each.driver !== "bridge");
  if (foreign.length > 0)
    return foreign.map((each) =>
      finding("network-driver", `Network ${each.network} has driver ${each.driver}`, {
        hint: "Only networks of the drivers macvlan and bridge can be moved from and to.",
      }),
    );
  const names = ending.map((each) => each.network).join(", ");
  const { Config, HostConfig } = engineConfig as DockerConfig;
  if (Config.Labels?.[LABELS.connections] !== "close") return [finding("network-driver", `Network ${names} ends at this node`)];
  const kept = networks.filter((each) => each.keeps);
  if (kept.length > 0)
    return [finding("networks-mixed", `${names} ends at this node, ${kept.map((each) => each.network).join(", ")} does not`)];
  const ports = Object.entries((HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null>).flatMap(
    ([inside, outside]) => (outside ?? []).map(({ HostPort }) => `${HostPort || "some port"} -> ${inside}`),
  );
  const moved = ports.length > 0 ? `; its published ports move with it (${ports.join(", ")})` : "";
  return [finding("connections-closed", `All that it has over ${names}${moved}`)];
}

/** Of the addresses that will not be the workload's any more, those to which a socket is bound that must be there again: listeners, and UDP. */
export async function readBoundAddresses(initPid: number, networks: readonly NetworkAttachment[]): Promise<string[]> {
  const leaving = networks
    .filter((each) => !each.keeps)
    .flatMap((each) => [each.ipv4Address, each.ipv6Address])
    .filter((address) => address !== "");
  if (initPid === 0 || leaving.length === 0) return [];
  const list = async (flags: string) => (await run("nsenter", ["-t", String(initPid), "-n", "ss", flags])).stdout;
  const text = `${await list("-Htln")}${await list("-Huan")}`;
  // The column before the last two: address:port here, then the peer's.
  const bound = new Set(
    text.split("\n").map((line) =>
      /(\S+):\d+\s+\S+:\S+\s*$/
        .exec(line)?.[1]
        ?.replace(/%.*$/, "")
        .replace(/^\[(.*)\]$/, "$1"),
    ),
  );
  return leaving.filter((address) => bound.has(address));
}
