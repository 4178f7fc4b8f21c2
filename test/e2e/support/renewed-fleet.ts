import { expect } from "chai";
import type { MovingFleet } from "./moving-fleet.js";

export interface RenewedFleet {
  (): MovingFleet;
  /** The next test begins with a new one. */
  renew(): Promise<void>;
}

/** A fleet for all tests of the suite that calls this. What one failure has broken must not be held against the next: they get a new one. */
export function useRenewedFleet(start: () => Promise<MovingFleet>): RenewedFleet {
  let moving: MovingFleet | null = null;
  const renew = async () => {
    await moving?.close();
    moving = null;
  };
  beforeEach(async () => {
    moving ??= await start();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") await renew();
  });
  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });
  return Object.assign(() => moving!, { renew });
}
