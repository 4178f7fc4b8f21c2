import { createHash } from "node:crypto";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import type { WorkloadDescription } from "../engine.js";
import type { DockerConfig } from "./describe.js";

/** What Docker makes of them for each container whenever it starts, and mounts over its /etc. */
const NAMES = ["hosts", "hostname", "resolv.conf"] as const;
type Name = (typeof NAMES)[number];

/** Travels beside CRIU's images. */
const ARCHIVE = "evenkeel-etc.json";

/** Lists of hosts to be blocked are the largest that is known. */
const BYTES_MOST = 16 << 20;

interface Archive {
  /** In base64, for a program may write what it likes; a file that is not among them is as Docker makes it. */
  readonly contents: Readonly<Partial<Record<Name, string>>>;
  /** Addresses that the workload leaves behind, its host's among them where it has a name for it. */
  readonly goneAddresses: readonly string[];
}

/** Keeps what a frozen container sees as its /etc/hosts, /etc/hostname and /etc/resolv.conf. One that has joined another's network has that one's. @throws SYNC_FAILED */
export async function packMadeFiles(containerFolder: string, imagesPath: string, description: WorkloadDescription): Promise<void> {
  if (description.sharedNetwork.owner !== null) return;
  const contents: Partial<Record<Name, string>> = {};
  for (const name of NAMES) {
    const path = `${containerFolder}/${name}`;
    const seen = await stat(path).catch(() => null);
    if (seen === null) continue;
    if (seen.size > BYTES_MOST)
      throw new EvenkeelError("SYNC_FAILED", `/etc/${name} has ${seen.size} bytes; ${BYTES_MOST} at most go along`);
    const content = await readFile(path);
    // That of the source's host means nothing elsewhere.
    if (name !== "resolv.conf" || !(await isDockersOwn(path, content))) contents[name] = content.toString("base64");
  }
  const gone = description.networks.filter(({ keeps }) => !keeps).flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address]);
  const { HostConfig } = description.engineConfig as DockerConfig;
  gone.push(...addressesIn(contents.hosts ?? "", gatewayNames(HostConfig)));
  const archive: Archive = { contents, goneAddresses: gone.filter((address) => address !== "") };
  await writeFile(`${imagesPath}/${ARCHIVE}`, JSON.stringify(archive));
}

/** Names that a container was given for whichever host it is on (`--add-host host.docker.internal:host-gateway`). */
export function gatewayNames({ ExtraHosts }: DockerConfig["HostConfig"]): string[] {
  return ((ExtraHosts ?? []) as string[]).flatMap((entry) => /^(.+?)[:=]host-gateway$/.exec(entry)?.[1] ?? []);
}

/** @param hosts in base64 */
function addressesIn(hosts: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const lines = Buffer.from(hosts, "base64").toString("latin1").split("\n");
  return lines.flatMap((line) => {
    const [address = "", ...its] = line.trim().split(/\s+/);
    return its.some((name) => names.includes(name)) ? [address] : [];
  });
}

/** Docker notes the digest of what it made of the host's, so as to leave alone what was changed. It notes none of what names its own name server, which is the same everywhere. */
async function isDockersOwn(path: string, content: Buffer): Promise<boolean> {
  const noted = await readFile(`${path}.hash`, "utf8").catch(() => null);
  return noted === null || noted.trim() === `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Makes the twin's so, once Docker has attached its network and thereby made them. Into the same inodes, which are what the container has mounted. */
export async function unpackMadeFiles(containerFolder: string, imagesPath: string): Promise<void> {
  const text = await readFile(`${imagesPath}/${ARCHIVE}`, "utf8").catch(() => null);
  if (text === null) return;
  const { contents, goneAddresses } = JSON.parse(text) as Archive;
  for (const name of NAMES) {
    const packed = contents[name];
    const path = `${containerFolder}/${name}`;
    const made = await readFile(path).catch(() => null);
    if (packed === undefined || made === null) continue;
    const theirs = Buffer.from(packed, "base64");
    const wanted = name === "hosts" && goneAddresses.length > 0 ? fitHosts(theirs, made, goneAddresses) : theirs;
    if (wanted.equals(made)) continue;
    const file = await open(path, "r+");
    try {
      await file.truncate();
      await file.write(wanted, 0, wanted.length, 0);
    } finally {
      await file.close();
    }
  }
}

/** The hosts of the source with its new addresses, as Docker has made them, in the place of those that are gone. */
export function fitHosts(theirs: Buffer, made: Buffer, goneAddresses: readonly string[]): Buffer {
  const words = (line: string) => line.trim().split(/\s+/);
  const namesOf = (line: string) => words(line).slice(1).join(" ");
  // One character a byte, whatever it means.
  const lines = (buffer: Buffer) => buffer.toString("latin1").split("\n");
  const added = new Set<string>();
  const fitted = lines(theirs).flatMap((line) => {
    if (!goneAddresses.includes(words(line)[0] ?? "")) return [line];
    const news = lines(made).filter((each) => !added.has(each) && namesOf(each) === namesOf(line));
    for (const each of news) added.add(each);
    return news;
  });
  return Buffer.from(fitted.join("\n"), "latin1");
}
