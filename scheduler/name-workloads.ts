interface Names {
  readonly id: string;
  readonly name: string;
  readonly containerId: string;
}

const SHORTEST_ID_PREFIX = 6;

/** Those that somebody means by a word: the one whose id it is, else all of that name, and all whose id or container id begins so. */
export function namedBy<T>(workloads: readonly T[], word: string, namesOf: (workload: T) => Names): readonly T[] {
  const exact = workloads.find((each) => namesOf(each).id === word);
  if (exact !== undefined) return [exact];
  const isPrefix = (id: string) => word.length >= SHORTEST_ID_PREFIX && id.startsWith(word);
  return workloads.filter((each) => {
    const { id, name, containerId } = namesOf(each);
    return name === word || isPrefix(id) || isPrefix(containerId);
  });
}
