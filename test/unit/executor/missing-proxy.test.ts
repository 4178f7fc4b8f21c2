import { expect } from "chai";
import type { DockerHost } from "../../../executor/engine/docker/docker-host.js";
import { makeDockerTarget } from "../../../executor/engine/docker/target.js";

describe("Images without the memory that is to follow", () => {
  it("are not restored when whoever was to take that memory has ended: CRIU would fill in what it finds", async () => {
    const target = makeDockerTarget({} as DockerHost, {} as never, { means: null, reason: "a test" });
    const decision = {
      processes: [],
      neighbours: [],
      leavesMemory: true,
      rootChanged: false,
      logChanged: false,
      commit: async () => expect.fail("nothing may be committed"),
    };
    const why = await target.restore("c0ffee", "/nowhere", decision).then(
      () => null,
      (error: { code: string }) => error.code,
    );
    expect(why).to.equal("RESTORE_FAILED");
  });
});
