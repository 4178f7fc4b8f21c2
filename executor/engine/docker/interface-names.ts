import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Inspection } from "./describe.js";

const run = promisify(execFile);

/** Docker's option of an endpoint by which its interface gets that name; older versions than 28 know none, and ignore it. */
export const INTERFACE_NAME_OPTION = "com.docker.network.endpoint.ifname";

/**
 * What the interfaces of a running container with several networks are called in it, by network: Docker gives names in whatever order it
 * attaches them, and a program may have noted one. Empty for one network, whose interface is the first everywhere.
 */
export async function readInterfaceNames(seen: Pick<Inspection, "State" | "NetworkSettings">): Promise<ReadonlyMap<string, string>> {
  const endpoints = Object.entries(seen.NetworkSettings.Networks);
  if (endpoints.length < 2 || !seen.State.Running) return new Map();
  const { stdout } = await run("nsenter", ["-t", String(seen.State.Pid), "-n", "ip", "-json", "link"]);
  const nameOf = new Map((JSON.parse(stdout) as { ifname: string; address?: string }[]).map(({ ifname, address }) => [address, ifname]));
  return new Map(
    endpoints.flatMap(([network, { MacAddress }]) => {
      const name = MacAddress ? nameOf.get(MacAddress) : undefined;
      return name === undefined ? [] : [[network, name] as const];
    }),
  );
}
