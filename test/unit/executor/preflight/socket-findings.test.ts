import { expect } from "chai";
import { parseUnixSockets } from "../../../../executor/preflight/socket-findings.js";

describe("The list of unix sockets", () => {
  it("is read with and without a path, spaces in it included", () => {
    const text = [
      "u_str LISTEN 0      4096                           /var/run/docker.sock 389588 * 0",
      "u_str ESTAB  0      0                                                 * 20     * 21",
      "u_dgr ESTAB  0      0                                    /run/a b/log   22     * 23",
      "u_seq ESTAB  0      0                                   @abstract@name 24     * 25",
      "",
    ].join("\n");
    expect(parseUnixSockets(text)).to.deep.equal([
      { inode: 389588, peer: 0 },
      { inode: 20, peer: 21 },
      { inode: 22, peer: 23 },
      { inode: 24, peer: 25 },
    ]);
  });
});
