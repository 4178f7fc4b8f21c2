import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fitHosts, packMadeFiles, unpackMadeFiles } from "../../../executor/engine/docker/made-files.js";
import type { NetworkAttachment, WorkloadDescription } from "../../../executor/engine/engine.js";

const HOSTS = "127.0.0.1\tlocalhost\n";
const RESOLVER = "nameserver 10.0.0.2\n";

const workload = (
  networks: readonly Partial<NetworkAttachment>[] = [],
  owner: unknown = null,
  ExtraHosts: readonly string[] | null = null,
) => ({ networks, sharedNetwork: { owner, joiners: [] }, engineConfig: { HostConfig: { ExtraHosts } } }) as unknown as WorkloadDescription;

describe("The hosts, name servers and host name that Docker makes for a container", () => {
  let home: string;
  const at = (...parts: string[]) => join(home, ...parts);
  const write = (where: string, files: Record<string, string>) =>
    Promise.all(Object.entries(files).map(([name, text]) => writeFile(at(where, name), text, "latin1")));
  const read = (name: string) => readFile(at("twin", name), "latin1");
  const note = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "evenkeel-made-"));
    for (const folder of ["source", "images", "twin"]) await mkdir(at(folder));
    const made = { hosts: HOSTS, hostname: "till\n", "resolv.conf": RESOLVER, "resolv.conf.hash": note(RESOLVER) };
    await write("source", made);
    await write("twin", { ...made, "resolv.conf": "nameserver 10.1.1.1\n" });
  });
  afterEach(() => rm(home, { recursive: true }));

  async function move(description = workload()): Promise<void> {
    await packMadeFiles(at("source"), at("images"), description);
    await unpackMadeFiles(at("twin"), at("images"));
  }

  it("go along as the workload has changed them, byte by byte, into the files that its copy has mounted", async () => {
    const changed = { hosts: `${HOSTS}10.9.9.9\tdb\xff\n`, hostname: "", "resolv.conf": `${RESOLVER}search shop.test\n` };
    await write("source", changed);
    const before = await stat(at("twin", "hosts"));
    await move();
    for (const [name, text] of Object.entries(changed)) expect(await read(name), name).to.equal(text);
    expect((await stat(at("twin", "hosts"))).ino).to.equal(before.ino);
  });

  it("stay as Docker makes them where it has not: the name servers of one host mean nothing on another", async () => {
    await move();
    expect(await read("resolv.conf")).to.equal("nameserver 10.1.1.1\n");
    expect(await read("hosts")).to.equal(HOSTS);
  });

  it("are those of the container whose network it has joined, which brings them itself", async () => {
    await write("source", { hosts: "another's" });
    await move(workload([], { containerId: "a", name: "owner", keeps: true }));
    expect(await read("hosts")).to.equal(HOSTS);
  });

  it("end a move that cannot take them along whole", async () => {
    await write("source", { hosts: "x".repeat((16 << 20) + 1) });
    const error = await move().then(
      () => null,
      (thrown: { code: string }) => thrown.code,
    );
    expect(error).to.equal("SYNC_FAILED");
  });

  it("name its new addresses where it cannot keep the old ones", async () => {
    const own = (address: string) => `${address}\ttill.shop.test till`;
    await write("source", { hosts: `${HOSTS}${own("172.18.0.5")}\n${own("fd00::5")}\n10.9.9.9\tdb\n` });
    await write("twin", { hosts: `${HOSTS}${own("172.18.0.7")}\n${own("fd00::7")}\n` });
    await move(workload([{ keeps: false, ipv4Address: "172.18.0.5", ipv6Address: "fd00::5" }]));
    expect(await read("hosts")).to.equal(`${HOSTS}${own("172.18.0.7")}\n${own("fd00::7")}\n10.9.9.9\tdb\n`);
  });

  it("name the host that it is on then, where it has a name for it", async () => {
    await write("source", { hosts: `${HOSTS}172.17.0.1\thost.docker.internal\n10.9.9.9\tdb\n` });
    await write("twin", { hosts: `${HOSTS}10.200.0.1\thost.docker.internal\n` });
    await move(workload([], null, ["host.docker.internal:host-gateway", "db:10.9.9.9"]));
    expect(await read("hosts")).to.equal(`${HOSTS}10.200.0.1\thost.docker.internal\n10.9.9.9\tdb\n`);
  });

  it("name an address once that it has again", () => {
    const [theirs, made] = ["172.18.0.5\ttill\n10.9.9.9\tdb\n", "172.18.0.5\ttill\n"].map((text) => Buffer.from(text));
    expect(fitHosts(theirs!, made!, ["172.18.0.5"]).toString()).to.equal("172.18.0.5\ttill\n10.9.9.9\tdb\n");
  });
});
