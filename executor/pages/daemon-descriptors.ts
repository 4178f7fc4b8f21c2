/** criu/uffd.c: it has got the descriptor of a process that is restored, or forked; it is about to close one: all is in, or the process has ended. */
const DESCRIPTORS =
  /uffd: (?:Received PID: \d+, uffd: (?<received>\d+)|\d+-\d+: FORK: child with ufd=(?<child>\d+)|\d+-(?<closed>\d+): (?:EXIT|UFFD transferred pages))/g;
/** Longer than such a line. */
const LINE_BYTES = 200;

/** Listens to the daemon, and has what it has of processes held for as long as it should have it: a process that lacks nothing must not wait for anyone. */
export function followDescriptors(order: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const all = rest + text;
    const end = all.lastIndexOf("\n") + 1;
    rest = all.slice(end).slice(-LINE_BYTES);
    for (const { groups } of all.slice(0, end).matchAll(DESCRIPTORS)) {
      const { received, child, closed } = groups as Readonly<Record<string, string | undefined>>;
      order(closed === undefined ? `hold ${received ?? child}\n` : `drop ${closed}\n`);
    }
  };
}
