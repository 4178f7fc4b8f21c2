import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { MAPS_ENCODING, parseSmaps } from "../../../executor/engine/docker/memory-maps.js";
import { waitFor } from "../../support/wait-for.js";

const HEAP = "55d0c0000000-55d0c0400000 rw-p 00000000 00:00 0                          [heap]";
const LIBRARY = "7f0000000000-7f0000002000 r-xp 00026000 fe:01 1234                       /usr/lib/a file: Rss";
const NAMELESS = "7f1000000000-7f1000001000 rw-p 00000000 00:00 0 ";
const SYSCALL = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]";

const SMAPS = `${HEAP}
Size:               4096 kB
Rss:                3000 kB
Pss:                1500 kB
SwapPss:             900 kB
Swap:               1000 kB
VmFlags: rd wr mr mw me ac sd \n${LIBRARY}
Rss:                   8 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
${NAMELESS}
Rss:                   0 kB
Swap:                  0 kB
VmFlags: rd wr mr mw me lo ac
${SYSCALL}
Rss:                   0 kB
VmFlags: ex
`;

describe("What the kernel says of a process's mappings", () => {
  it("is read mapping by mapping, each by the line that maps has too", () => {
    const mappings = parseSmaps(SMAPS);
    expect([...mappings.keys()]).to.deep.equal([HEAP, LIBRARY, NAMELESS, SYSCALL]);
    expect(mappings.get(HEAP)).to.deep.equal({
      start: 0x55d0c0000000,
      end: 0x55d0c0400000,
      permissions: "rw-p",
      inode: 0,
      name: "[heap]",
      flags: ["rd", "wr", "mr", "mw", "me", "ac", "sd"],
      heldBytes: 4000 * 1024,
    });
    expect(mappings.get(LIBRARY)).to.include({ permissions: "r-xp", inode: 1234, name: "/usr/lib/a file: Rss", heldBytes: 8192 });
    expect(mappings.get(NAMELESS)).to.include({ name: "", heldBytes: 0 });
    expect(mappings.get(NAMELESS)!.flags).to.include("lo");
  });

  it("has every line that maps has, of a real process", async () => {
    const child = spawn("sleep", ["600"]);
    try {
      const read = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, MAPS_ENCODING);
      // Its mappings change until it sleeps.
      await waitFor("the same lines", async () => {
        const mappings = parseSmaps(read("smaps"));
        const lines = read("maps").split("\n").filter(Boolean);
        return lines.length > 10 && JSON.stringify([...mappings.keys()]) === JSON.stringify(lines);
      });
      for (const { flags } of parseSmaps(read("smaps")).values()) expect(flags).to.not.deep.equal([]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("is understood whatever a file is called, but for a newline, which the kernel writes otherwise", () => {
    const line = Buffer.from(
      "7f2000000000-7f2000001000 r--s 00000000 00:01 77                         /memfd:a\r\u2028[b] c (deleted)",
    ).toString(MAPS_ENCODING);
    const mappings = parseSmaps(`${line}\nRss:                   4 kB\nVmFlags: rd mr\n`);
    expect([...mappings.keys()]).to.deep.equal([line]);
    expect(mappings.get(line)).to.include({ inode: 77, heldBytes: 4096 });
  });
});
