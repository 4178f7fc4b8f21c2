import { expect } from "chai";
import { gratuitousArp } from "../../../executor/engine/docker/announce.js";

describe("A gratuitous ARP", () => {
  it("comes from the workload's own MAC, names its address as sender's and as wanted, and goes to everyone", () => {
    const frame = gratuitousArp({ device: "eth0", macAddress: "02:45:4b:00:00:98", ipv4Address: "10.77.0.152" });
    expect(frame.toString("hex")).to.equal(
      `${"ff".repeat(6)}02454b000098${"0806"}${"0001"}${"0800"}${"06"}${"04"}${"0001"}02454b0000980a4d0098${"00".repeat(6)}0a4d0098${"00".repeat(18)}`,
    );
  });
});
