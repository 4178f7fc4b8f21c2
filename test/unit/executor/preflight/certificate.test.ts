import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readCertificate } from "../../../../executor/preflight/certificate.js";
import { issueCertificate, makeAuthority, type PemPair } from "../../../../platform/tls.js";

describe("The certificate of a node", () => {
  let folder: string;
  let authority: PemPair;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-certificate-"));
    authority = await makeAuthority("a test");
  });
  after(() => rm(folder, { recursive: true }));

  async function look(pair: PemPair, node: string): Promise<string | null> {
    const files = { authority: join(folder, "ca.pem"), certificate: join(folder, "node.pem"), key: join(folder, "node.key") };
    await writeFile(files.authority, authority.certificate);
    await writeFile(files.certificate, pair.certificate);
    await writeFile(files.key, pair.key);
    return (await readCertificate(files, node)).trouble;
  }

  it("is good when the fleet's authority issued it to this node", async () => {
    expect(await look(await issueCertificate(authority, "n1"), "n1")).to.equal(null);
  });

  it("is refused when another authority issued it", async () => {
    const stranger = await makeAuthority("a stranger");
    expect(await look(await issueCertificate(stranger, "n1"), "n1")).to.include("not issued by this authority");
  });

  it("is refused when it was issued to another node", async () => {
    expect(await look(await issueCertificate(authority, "n2"), "n1")).to.include("issued to n2");
  });

  it("is refused when it has expired", async () => {
    expect(await look(await issueCertificate(authority, "n1", -1), "n1")).to.include("expired");
  });

  it("is refused when the key is not its own", async () => {
    const [one, other] = [await issueCertificate(authority, "n1"), await issueCertificate(authority, "n1")];
    expect(await look({ certificate: one.certificate, key: other.key }, "n1")).to.match(/key/i);
  });

  it("is refused when it is not there", async () => {
    const files = { authority: join(folder, "none"), certificate: join(folder, "none"), key: join(folder, "none") };
    expect((await readCertificate(files, "n1")).trouble).to.include("ENOENT");
  });
});
