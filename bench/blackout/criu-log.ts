/** A stretch of time in a CRIU log: from the first line that fits `from` to the first that fits the next one's. */
export interface Mark {
  readonly what: string;
  readonly from: RegExp;
}

/** A dump, from the script that says it begins to the one in which it waits for the verdict. */
export const DUMP_MARKS: readonly Mark[] = [
  { what: "CRIU looks at cgroups", from: /Running pre-dump scripts/ },
  { what: "stop every thread", from: /freezing cgroup/ },
  { what: "lock the network", from: /net: Lock network/ },
  { what: "read mounts, sockets, maps", from: /^(?!.*(Lock network|Running network-lock|RPC|criu-action)).*/ },
  { what: "write memory to tmpfs", from: /Dumping pages/ },
  { what: "cgroups, tmpfs mounts (tar)", from: /Dumping core/ },
  { what: "namespaces, sockets", from: /'s namespaces/ },
  { what: "", from: /Running post-dump scripts/ },
];

/** Seconds of each stretch, as far as the marks come in their order. */
export function stretches(log: string, marks: readonly Mark[]): Map<string, number> {
  const found: { what: string; at: number }[] = [];
  for (const line of log.split("\n")) {
    const at = Number(/^\((\d+\.\d+)\)/.exec(line)?.[1]);
    const mark = marks[found.length];
    if (mark !== undefined && !Number.isNaN(at) && mark.from.test(line)) found.push({ what: mark.what, at });
  }
  return new Map(found.slice(0, -1).map(({ what, at }, index) => [what, (found[index + 1] as { at: number }).at - at]));
}
