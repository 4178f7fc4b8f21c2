/** The leading numbers of a version: `6.12.41-amd64` -> 6.12.41. */
export function bareVersion(text: string): string {
  return /\d+(?:\.\d+)*/.exec(text)?.[0] ?? "0";
}

/** Whether the first is older, by as many numbers as both have. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => bareVersion(text).split(".").map(Number));
  for (let place = 0; place < Math.min(a!.length, b!.length); place++) {
    if (a![place] !== b![place]) return a![place]! < b![place]!;
  }
  return false;
}
