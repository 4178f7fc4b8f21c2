import type { LabNode } from "../../../lab/docker-host.js";
import type { Fleet } from "../../../lab/fleet/fleet.js";
import { waitFor } from "../../support/wait-for.js";

/** One line for each thing that a migration made and should have taken away again. */
const LOOK = String.raw`
find /run/evenkeel -mindepth 2 -maxdepth 2 2>/dev/null
find /sys/fs/cgroup -path '*docker*' -name freezer.state -exec grep -l FROZEN {} + 2>/dev/null
find /sys/fs/cgroup -path '*docker*' -name cgroup.events -exec grep -l 'frozen 1' {} + 2>/dev/null
ip -o link show type ifb | sed 's/ mtu.*//; s/^[0-9]*:/packets are held by/'
nft list tables netdev | sed 's/^/packets are redirected by /'
for process in /proc/[0-9]*; do
  [ -r "$process/cmdline" ] || continue
  words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline")
  case $words in
    sh\ -c\ read\ -r\ go*) echo "process $words" ;; # those made ahead for a lazy restore
    sh\ -c*) ;; # this very script
    *criu-action* | *namespace-hook* | runc*checkpoint* | runc*restore* | *criu\ swrk* | *page-proxy.js* | *image-feeder.js* | *page-source.js* | *criu\ lazy-pages* | *fill-pages* | socat*INTERFACE:* | tc\ -batch* | nft\ -i*) echo "process $words" ;;
  esac
done
true`;

/** What is left in a running copy's network namespace; nothing when it is as Docker made it. */
const LOOK_AT_NETWORK = `
nsenter -t "$0" -n sh -c '
  nft list ruleset 2>/dev/null | grep -iE "evenkeel|criu"
  iptables-save 2>/dev/null | grep -i criu
'
true`;

async function lookAt(node: LabNode, script: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await node.exec(["sh", "-c", script, ...args]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** What migrations left behind on any node, except the running copy itself. */
export async function tracesOf(fleet: Fleet, workload: string): Promise<string[]> {
  const perNode = await Promise.all(
    fleet.lab.nodes.map(async (node) => {
      const lines = await lookAt(node, LOOK);
      const all = await node.docker.listContainers({ all: true, filters: { name: [`^/${workload}$`] } });
      for (const container of all) {
        if (container.State !== "running") lines.push(`container ${container.Names[0]} (${container.Status})`);
        else {
          const { State } = await node.docker.getContainer(container.Id).inspect();
          lines.push(...(await lookAt(node, LOOK_AT_NETWORK, String(State.Pid))));
        }
      }
      return lines.map((line) => `${node.name}: ${line}`);
    }),
  );
  return perNode.flat();
}

/** Waits until the workload runs on that node alone and nothing but it is left of its migrations. */
export async function settledOn(fleet: Fleet, workload: string, node: string): Promise<void> {
  let traces: string[] = [];
  let where: string | null = null;
  await waitFor(
    `${workload} to be settled on ${node}`,
    async () => {
      where = await fleet.whereIs(workload);
      traces = await tracesOf(fleet, workload);
      return where === node && traces.length === 0;
    },
    { deadlineSeconds: 60, everyMilliseconds: 200 },
  ).catch(() => {
    throw new Error(`${workload} should be on ${node} alone; it is on ${where}, and this is left: ${traces.join("; ")}`);
  });
}
