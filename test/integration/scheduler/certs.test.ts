import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { evenkeel } from "./command-line-fleet.js";

describe("evenkeel certs", () => {
  it("makes an authority and certificates that it has signed, readable by their owner only, and replaces nothing unasked", async () => {
    const folder = await mkdtemp(join(tmpdir(), "evenkeel-certs-"));
    const dir = join(folder, "tls");
    const run = (args: readonly string[]) => evenkeel(args, { PATH: process.env["PATH"] });
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(2);
    expect((await run(["certs", "init", "--dir", dir])).code).to.equal(0);
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(0);
    const read = async (name: string) => new X509Certificate(await readFile(join(dir, name)));
    const certificate = await read("n1.pem");
    expect(certificate.verify((await read("ca.pem")).publicKey)).to.equal(true);
    expect(certificate.subject).to.equal("CN=n1");
    for (const name of ["ca.pem", "ca.key", "n1.pem", "n1.key"]) expect((await stat(join(dir, name))).mode & 0o777).to.equal(0o600);
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(2);
    expect((await run(["certs", "issue", "../n1", "--dir", dir])).code).to.equal(2);
    await rm(folder, { recursive: true });
  });
});
