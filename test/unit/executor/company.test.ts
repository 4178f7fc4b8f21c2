import { expect } from "chai";
import type { Companion, WorkloadDescription } from "../../../executor/engine/engine.js";
import { companyFindings, ownersAmong } from "../../../executor/migration/company.js";

const WEB: Companion = { containerId: "web-id", name: "web" };
const PROXY: Companion = { containerId: "proxy-id", name: "proxy" };
const NETWORK_OF_ITS_OWN: WorkloadDescription["sharedNetwork"] = { owner: null, joiners: [] };
const NONE: WorkloadDescription["sharedIpc"] = { owner: null, joiners: [] };

function said(sharedNetwork: WorkloadDescription["sharedNetwork"], moving: readonly Companion[], isCold = false) {
  const company = new Map(moving.map(({ containerId }) => [containerId, `m-${containerId}`]));
  return companyFindings({ sharedNetwork, sharedIpc: NONE }, company, isCold).map(({ code, message }) => `${code} ${message}`);
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

  it("must be all with whom it shares an IPC namespace too", () => {
    const company = new Map([["web-id", "m-web"]]);
    const of = (sharedIpc: WorkloadDescription["sharedIpc"], isCold: boolean) =>
      companyFindings({ sharedNetwork: NETWORK_OF_ITS_OWN, sharedIpc }, company, isCold).map(({ message }) => message);
    expect(of({ owner: WEB, joiners: [] }, false)).to.deep.equal([]);
    expect(of({ owner: null, joiners: [PROXY] }, false)).to.deep.equal([
      "It shares its IPC namespace with proxy, which does not move with it",
    ]);
    expect(of({ owner: WEB, joiners: [] }, true)).to.deep.equal(["It shares its IPC namespace with web and would be moved cold"]);
  });

  it("has those among them whose network and IPC namespace it has joined", () => {
    const company = new Map([
      ["web-id", "m-web"],
      ["proxy-id", "m-proxy"],
    ]);
    expect(
      ownersAmong(company, { sharedNetwork: { owner: { ...WEB, keeps: true }, joiners: [] }, sharedIpc: { owner: PROXY, joiners: [] } }),
    ).to.deep.equal({
      network: "m-web",
      ipc: "m-proxy",
    });
    expect(ownersAmong(company, { sharedNetwork: NETWORK_OF_ITS_OWN, sharedIpc: NONE })).to.deep.equal({ network: null, ipc: null });
  });

  it("cannot be moved cold", () => {
    expect(said({ owner: null, joiners: [PROXY] }, [WEB, PROXY], true)).to.deep.equal([
      "shared-namespace It shares its network with proxy and would be moved cold",
    ]);
  });
});
