import { expect } from "chai";
import { ALONE, makeRendezvous } from "../../../executor/migration/rendezvous.js";

describe("migrations that are carried out as one", () => {
  it("wait at each point for the last of them", async () => {
    const rendezvous = makeRendezvous(3);
    const order: string[] = [];
    const walk = async (name: string) => {
      for (const point of ["ready", "frozen"]) {
        order.push(`${name} at ${point}`);
        await rendezvous.meet(point);
      }
    };
    await Promise.all(["a", "b", "c"].map(walk));
    expect(order.slice(0, 3).every((line) => line.endsWith("ready"))).to.equal(true);
    expect(order.slice(3).every((line) => line.endsWith("frozen"))).to.equal(true);
  });

  it("do not wait for one that has failed, neither those that wait nor those that come later", async () => {
    const rendezvous = makeRendezvous(3);
    const waiting = rendezvous.meet("ready").catch((error: Error) => error.message);
    rendezvous.leave(new Error("b failed"));
    expect(await waiting).to.equal("b failed");
    expect(await rendezvous.meet("ready").catch((error: Error) => error.message)).to.equal("b failed");
  });

  it("wait for what one of them notes, before it is noted and after it", async () => {
    const rendezvous = makeRendezvous(3);
    let isNoted = false;
    const waiting = rendezvous.noted("twin of a").then(() => {
      isNoted = true;
    });
    rendezvous.note("twin of b");
    await new Promise((resolve) => setImmediate(resolve));
    expect(isNoted).to.equal(false);
    rendezvous.note("twin of a");
    await waiting;
    await rendezvous.noted("twin of a");
    const never = rendezvous.noted("twin of c").catch((error: Error) => error.message);
    rendezvous.leave(new Error("c failed"));
    expect(await never).to.equal("c failed");
  });

  it("are not held up when there is only one", async () => {
    await ALONE.meet("ready");
    await ALONE.noted("twin of nobody");
  });
});
