/** A non-negative decimal as the kernel prints it. @throws when the text is anything else, so that rubbish never becomes zero. */
export function parseCount(text: string | undefined): number {
  const trimmed = text?.trim() ?? "";
  if (!/^\d+(\.\d+)?$/.test(trimmed)) throw new Error(`not a number: ${JSON.stringify(trimmed.slice(0, 40))}`);
  return Number(trimmed);
}

/** As parseCount, with `max` for "no limit", given back as null. */
export function parseLimit(text: string): number | null {
  return text.trim() === "max" ? null : parseCount(text);
}

/** One field of a file of `name value` lines. @throws when it is missing. */
export function parseField(text: string, name: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no field ${name}`);
  return parseCount(line.slice(name.length));
}
