import { expect } from "chai";
import { makeImageRoom, roomLeft } from "../../../executor/image-room.js";

const MIB = 1 << 20;
const facts = { freeBytes: 1000 * MIB, memoryBytes: 2000 * MIB, budgetBytes: null, bookedBytes: 0 };

describe("room for memory images", () => {
  it("is the least of what the file system, the memory and the configuration leave, less what is booked", () => {
    expect(roomLeft(facts)).to.equal(968 * MIB);
    expect(roomLeft({ ...facts, memoryBytes: 100 * MIB })).to.equal(68 * MIB);
    expect(roomLeft({ ...facts, budgetBytes: 500 * MIB })).to.equal(500 * MIB);
    expect(roomLeft({ ...facts, budgetBytes: 500 * MIB, bookedBytes: 400 * MIB })).to.equal(100 * MIB);
    expect(roomLeft({ ...facts, memoryBytes: null })).to.equal(968 * MIB);
  });

  it("is given to one migration at a time, and comes back when that ends", async () => {
    const room = makeImageRoom("node1", "/dev/shm", 10 * MIB);
    expect(await room.claim("a", 6 * MIB)).to.deep.equal([]);
    expect(await room.claim("a", 6 * MIB), "asked again").to.deep.equal([]);
    expect((await room.claim("b", 6 * MIB))[0]?.code).to.equal("tmpfs-short");
    room.release("a");
    expect(await room.claim("b", 6 * MIB)).to.deep.equal([]);
  });

  it("is not taken by who only asks", async () => {
    const room = makeImageRoom("node1", "/dev/shm", 10 * MIB);
    expect(await room.claim(null, 6 * MIB)).to.deep.equal([]);
    expect(await room.claim("a", 6 * MIB)).to.deep.equal([]);
  });

  it("says how much is wanted, how much there is, and where", async () => {
    const [blocker] = await makeImageRoom("node1", "/dev/shm", 10 * MIB).claim("a", 20 * MIB);
    expect(blocker?.message).to.equal("/dev/shm of node1 has room for 10 MiB; the images need up to 20 MiB");
  });
});
