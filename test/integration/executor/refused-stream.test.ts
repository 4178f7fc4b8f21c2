import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { connectPeer, type Peer } from "../../../executor/peer/client.js";
import type { Incoming } from "../../../executor/peer/incoming.js";
import { type PeerServer, servePeers } from "../../../executor/peer/server.js";
import { EvenkeelError } from "../../../platform/errors.js";
import { makeLog } from "../../../platform/log.js";
import { issueCertificate, makeAuthority, readTls } from "../../../platform/tls.js";

describe("A file stream that the destination refuses", () => {
  let folder: string;
  let server: PeerServer;
  let peer: Peer;
  let refusal: Error;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-refused-"));
    const authority = await makeAuthority("a fleet");
    const tlsOf = async (node: string) => {
      const { certificate, key } = await issueCertificate(authority, node);
      const files = { authority: join(folder, "ca.pem"), certificate: join(folder, `${node}.pem`), key: join(folder, `${node}.key`) };
      await writeFile(files.authority, authority.certificate);
      await writeFile(files.certificate, certificate);
      await writeFile(files.key, key);
      return readTls(files);
    };
    const log = makeLog("executor");
    log.level = "silent";
    const incoming = { authorise: () => Promise.reject(refusal) } as unknown as Incoming;
    server = await servePeers(incoming, await tlsOf("node2"), { port: 0, host: "127.0.0.1", log });
    peer = connectPeer(`127.0.0.1:${server.port}`, "node2", await tlsOf("node1"), 5);
  });
  after(async () => {
    peer.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const told = () =>
    peer.openFiles("m-1").then(
      () => null,
      ({ code, detail }: EvenkeelError) => `${code} ${detail}`,
    );

  it("says why: a record that was cancelled meanwhile is no broken link", async () => {
    refusal = new EvenkeelError("FENCED", "m-1 is aborted");
    expect(await told()).to.equal("FENCED m-1 is aborted (on node2)");
  });

  it("may be opened again where nobody could tell", async () => {
    refusal = new Error("Redis: Connection is closed.");
    expect(await told()).to.equal("PEER_UNREACHABLE Redis: Connection is closed. (on node2)");
  });
});
