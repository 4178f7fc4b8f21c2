import { expect } from "chai";
import { judgeHeld } from "../../../executor/engine/docker/divided-files.js";

const held = (pid: number, target: string, inode: number, { names = 1, isFifo = false } = {}) => ({ pid, target, inode, names, isFifo });
const GONE = "/dev/shm/sheet (deleted)";

describe("what containers have open in a /dev/shm that they share", () => {
  it("is one file for all afterwards as long as it has a name", () => {
    const files = [held(1, "/dev/shm/board", 7)];
    expect(
      judgeHeld([
        { name: "one", files },
        { name: "two", files },
      ]),
    ).to.equal(null);
  });

  it("would be one for each when it has lost its name, or is a FIFO", () => {
    const [own, others] = [held(1, GONE, 7, { names: 0 }), held(2, GONE, 7, { names: 0 })];
    const of = (files: ReturnType<typeof held>[], more: ReturnType<typeof held>[]) =>
      judgeHeld([
        { name: "one", files },
        { name: "two", files: more },
      ]);
    const holders = [
      { name: "one", pid: 1 },
      { name: "two", pid: 2 },
    ];
    expect(of([own], [others])).to.deep.equal({ path: GONE, holders });
    // Two descriptors of one container, and files of the same name.
    expect(of([own, own], [{ ...others, inode: 8 }])).to.equal(null);
    expect(of([held(1, "/dev/shm/pipe", 9, { isFifo: true })], [held(2, "/dev/shm/pipe", 9, { isFifo: true })])?.path).to.equal(
      "/dev/shm/pipe",
    );
    expect(of([held(1, "/dev/shm/pipe", 9, { isFifo: true })], [])).to.equal(null);
  });

  it("is refused when it has lost one name and has another, whoever has it", () => {
    expect(judgeHeld([{ name: "one", files: [held(1, GONE, 7, { names: 1 })] }])?.holders).to.deep.equal([{ name: "one", pid: 1 }]);
  });
});
