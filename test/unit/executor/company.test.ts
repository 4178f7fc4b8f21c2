import { expect } from "chai";
import type { Companion, WorkloadDescription } from "../../../executor/engine/engine.js";
import { companyFindings } from "../../../executor/migration/company.js";

const WEB: Companion = { containerId: "web-id", name: "web" };
const PROXY: Companion = { containerId: "proxy-id", name: "proxy" };

function said(sharedNetwork: WorkloadDescription["sharedNetwork"], moving: readonly Companion[], isCold = false) {
  const company = new Map(moving.map(({ containerId }) => [containerId, `m-${containerId}`]));
  return companyFindings({ sharedNetwork } as WorkloadDescription, company, isCold).map(({ code, message }) => `${code} ${message}`);
}

describe("the company of a workload that moves", () => {
  it("need not be any when it shares no network", () => {
    expect(said({ owner: null, joiners: [] }, [WEB])).to.deep.equal([]);
    expect(said({ owner: null, joiners: [] }, [WEB], true)).to.deep.equal([]);
  });

  it("must be all with whom it shares one, from either side", () => {
    expect(said({ owner: null, joiners: [PROXY] }, [WEB, PROXY])).to.deep.equal([]);
    expect(said({ owner: { ...WEB, keeps: true }, joiners: [] }, [WEB, PROXY])).to.deep.equal([]);
    expect(said({ owner: null, joiners: [PROXY] }, [WEB])).to.deep.equal([
      "shared-namespace It shares its network with proxy, which does not move with it",
    ]);
    expect(said({ owner: { ...WEB, keeps: true }, joiners: [] }, [PROXY])).to.deep.equal([
      "shared-namespace It shares its network with web, which does not move with it",
    ]);
  });

  it("cannot be moved cold", () => {
    expect(said({ owner: null, joiners: [PROXY] }, [WEB, PROXY], true)).to.deep.equal([
      "shared-namespace It shares its network with proxy and would be moved cold",
    ]);
  });
});
