/** The container whose namespace one has joined, by a mode of its Docker configuration (`container:ID` or a name); null = it has its own. */
export function joinedBy(mode: string | undefined): string | null {
  return /^container:(.+)$/.exec(mode ?? "")?.[1] ?? null;
}
