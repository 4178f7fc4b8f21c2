import { expect } from "chai";
import { sourceNetworkFindings } from "../../../executor/engine/docker/source-networks.js";
import type { NetworkAttachment, WorkloadDescription } from "../../../executor/engine/engine.js";

const attached = (network: string, driver: string, keeps: boolean): NetworkAttachment => ({
  network,
  driver,
  keeps,
  ipv4Address: "10.0.0.9",
  ipv6Address: "",
  macAddress: "02:00:00:00:00:09",
});
const FLEET = attached("fleet", "macvlan", true);
const DOCKERS = attached("bridge", "bridge", false);
const ALLOWED = { "io.evenkeel.connections": "close" };

function findings(networks: NetworkAttachment[], labels: Record<string, string> = {}) {
  const engineConfig = { Config: { Labels: labels }, HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }], "90/tcp": null } } };
  return sourceNetworkFindings({ networks, engineConfig } as unknown as WorkloadDescription);
}
const codes = (...args: Parameters<typeof findings>) => findings(...args).map(({ code, severity }) => `${severity} ${code}`);

describe("A workload's networks", () => {
  it("are no obstacle when they are the fleet's, or when there is none", () => {
    expect(codes([FLEET])).to.deep.equal([]);
    expect(codes([attached("none", "none", true)])).to.deep.equal([]);
    expect(codes([attached("office", "bridge", true)])).to.deep.equal([]);
  });

  it("forbid the move when one ends at its node, unless the label allows that connections are closed", () => {
    expect(codes([DOCKERS])).to.deep.equal(["fail network-driver"]);
    expect(codes([DOCKERS], { "io.evenkeel.connections": "keep" })).to.deep.equal(["fail network-driver"]);
    expect(codes([DOCKERS], ALLOWED)).to.deep.equal(["warn connections-closed"]);
  });

  it("forbid it with the label too when some connections would have to be kept, or the driver is another", () => {
    expect(codes([DOCKERS, FLEET], ALLOWED)).to.deep.equal(["fail networks-mixed"]);
    expect(codes([attached("mesh", "overlay", false)], ALLOWED)).to.deep.equal(["fail network-driver"]);
  });

  it("are named in the consequence, with the ports that move", () => {
    expect(findings([DOCKERS], ALLOWED)[0]?.message).to.equal(
      "All that it has over bridge; its published ports move with it (8080 -> 80/tcp)",
    );
  });
});
