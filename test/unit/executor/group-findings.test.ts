import { expect } from "chai";
import { nestedIn } from "../../../executor/engine/docker/group-findings.js";

const ID = "a0b1c2";

describe("Control groups that a workload has made in its container's", () => {
  it("are found wherever its processes are, by any driver of Docker's", () => {
    const own = "0::/system.slice/docker-a0b1c2.scope\n";
    expect(nestedIn([own, own], ID)).to.equal(null);
    expect(nestedIn([own, "0::/system.slice/docker-a0b1c2.scope/init.scope\n"], ID)).to.equal("/init.scope");
    expect(nestedIn(["0::/docker/a0b1c2/buildkit/run\n"], ID)).to.equal("/buildkit/run");
  });

  it("are not those of a process that is gone, or of a container whose own cannot be told", () => {
    expect(nestedIn(["", "0::/custom/place\n"], ID)).to.equal(null);
  });
});
