import { expect } from "chai";
import { sysctlLines } from "../../../executor/engine/docker/sysctls.js";

describe("A workload's settings of its network namespace", () => {
  it("are told by their paths, with values of several words", () => {
    const asked = { "net.core.somaxconn": "1024", "net.ipv4.ip_local_port_range": "20000 30000", "net.ipv4.conf.eth0/5.rp_filter": "0" };
    expect(sysctlLines(asked)).to.deep.equal([
      "net/core/somaxconn 1024",
      "net/ipv4/ip_local_port_range 20000 30000",
      "net/ipv4/conf/eth0.5/rp_filter 0",
    ]);
  });

  it("are no others, and lead nowhere else", () => {
    expect(sysctlLines({ "kernel.shmmax": "1", "net.//.//.kernel.panic": "1", "net.a b": "1", "net.core.x": "1\n2" })).to.deep.equal([
      "net/core/x 1 2",
    ]);
  });
});
