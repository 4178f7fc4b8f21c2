import { expect } from "chai";
import { parseNeighbours } from "../../../executor/engine/docker/neighbours.js";

const entry = (override: Record<string, unknown>) => ({
  dst: "10.0.0.7",
  dev: "eth0",
  lladdr: "02:00:00:00:00:07",
  state: ["STALE"],
  ...override,
});
const parse = (...entries: Record<string, unknown>[]) => parseNeighbours(JSON.stringify(entries.map(entry)));

describe("Whom a workload knows on its segment", () => {
  it("are all that the kernel has an address for, of either family", () => {
    expect(parse({}, { dst: "fe80::7", state: ["REACHABLE"] }, { dst: "10.0.0.8", state: ["DELAY"] })).to.deep.equal([
      { device: "eth0", address: "10.0.0.7", macAddress: "02:00:00:00:00:07" },
      { device: "eth0", address: "fe80::7", macAddress: "02:00:00:00:00:07" },
      { device: "eth0", address: "10.0.0.8", macAddress: "02:00:00:00:00:07" },
    ]);
  });
  it("are not those that it looks for in vain", () => {
    expect(parse({ state: ["FAILED"] }, { state: ["INCOMPLETE"], lladdr: undefined }, { state: ["NOARP"] })).to.deep.equal([]);
  });
  it("are none of which anything is not what it should be: it would become a command", () => {
    expect(parse({ dev: "eth0 nud" }, { dst: "10.0.0.7\nlink del eth0" }, { lladdr: "02" })).to.deep.equal([]);
  });
});
