import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { syncTree } from "../../../executor/channel/rsync-client.js";

const PATH = process.env["PATH"];

describe("An rsync that ends with what the other node has sent unread", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "rsync-"));
    await writeFile(join(folder, "rsync"), "#!/bin/sh\nsleep 0.2\nexit 11\n");
    await chmod(join(folder, "rsync"), 0o755);
    process.env["PATH"] = `${folder}:${PATH}`;
  });
  after(async () => {
    process.env["PATH"] = PATH;
    await rm(folder, { recursive: true });
  });

  it("fails its round, and does not end the executor", async () => {
    const surprises: unknown[] = [];
    const note = (error: unknown) => void surprises.push(error);
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", note);
    try {
      const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      socket.push(Buffer.alloc(1000));
      socket.push(null);
      const round = { final: false, remoteFile: null, pace: null, isCompressed: false, onBytes: () => {} };
      const why = await syncTree({ name: "rootfs", path: folder, mountedAt: "/" }, socket, round).then(
        () => null,
        ({ code }) => code,
      );
      expect(why).to.equal("SYNC_FAILED");
      // The kernel's word of it comes a turn later.
      await pause(50);
      expect(surprises).to.deep.equal([]);
    } finally {
      process.off("uncaughtException", note);
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });
});
