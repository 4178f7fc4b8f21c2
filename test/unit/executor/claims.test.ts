import { expect } from "chai";
import type { WorkloadDescription } from "../../../executor/engine/engine.js";
import { makeClaims } from "../../../executor/peer/claims.js";
import type { Half } from "../../../executor/peer/halves.js";

const wanting = (volumes: readonly string[], folders: readonly string[] = []) =>
  ({
    volumes: volumes.map((name) => ({ name, driver: "local", destination: "/data" })),
    folders: folders.map((source) => ({ source, destination: "/data" })),
  }) as unknown as WorkloadDescription;

describe("Volumes and folders that come in", () => {
  const nothing = { ids: async () => [], find: async () => null };
  const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

  it("are one migration's at a time", async () => {
    const claims = makeClaims(nothing);
    expect(await claims.take("a", wanting(["data"], ["/srv/x"]))).to.deep.equal([]);
    expect(await claims.take("a", wanting(["data"], ["/srv/x"]))).to.deep.equal([]);
    expect(codes(await claims.take("b", wanting(["data", "other"], ["/srv/x"])))).to.deep.equal(["volume-taken", "bind-mount-taken"]);
    expect(await claims.take("c", wanting(["other"]))).to.deep.equal([]);
    claims.release("a");
    expect(await claims.take("b", wanting(["data"], ["/srv/x"]))).to.deep.equal([]);
  });

  it("are not let in one inside the other: the rounds of the outer one would take away what comes in by the inner one", async () => {
    const claims = makeClaims(nothing);
    expect(await claims.take("a", wanting([], ["/srv/data"]))).to.deep.equal([]);
    for (const folder of ["/srv/data/sub", "/srv"])
      expect(codes(await claims.take("b", wanting([], [folder])))).to.deep.equal(["bind-mount-taken"]);
    expect(await claims.take("b", wanting([], ["/srv/database"]))).to.deep.equal([]);
    claims.release("a");
    expect(await claims.take("c", wanting([], ["/srv/data/sub"]))).to.deep.equal([]);
  });

  it("stay claimed by what an earlier executor let in", async () => {
    const half = { description: wanting(["data"]) } as unknown as Half;
    const claims = makeClaims({ ids: async () => ["old"], find: async () => half });
    expect(codes(await claims.take("new", wanting(["data"])))).to.deep.equal(["volume-taken"]);
    expect(await claims.take("old", wanting(["data"]))).to.deep.equal([]);
  });
});
