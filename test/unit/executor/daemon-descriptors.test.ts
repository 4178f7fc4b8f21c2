import { expect } from "chai";
import { followDescriptors } from "../../../executor/pages/daemon-descriptors.js";

const SAID = `(00.000100) uffd: Received PID: 1, uffd: 12
(00.000200) uffd: 1-12: Found 300 pages to be handled by UFFD
(00.000300) uffd: Received PID: 7, uffd: 13
(00.100000) uffd: 1-12: FORK: child with ufd=14
(00.200000) uffd: 7-13: UFFD transferred pages: (16/16)
(00.300000) uffd: 1-12: uffd_copy: 0x7f0000000000/65536
(00.400000) uffd: 1-14: EXIT
`;
const ORDERS = ["hold 12", "hold 13", "hold 14", "drop 13", "drop 14"];

describe("What CRIU's daemon has of processes", () => {
  it("is held from when it has it until it closes it", () => {
    const orders: string[] = [];
    followDescriptors((line) => orders.push(line.trim()))(SAID);
    expect(orders).to.deep.equal(ORDERS);
  });

  it("is understood however the words come in pieces", () => {
    for (const length of [1, 7, 40, 199]) {
      const orders: string[] = [];
      const hear = followDescriptors((line) => orders.push(line.trim()));
      for (let at = 0; at < SAID.length; at += length) hear(SAID.slice(at, at + length));
      expect(orders, `${length} bytes at a time`).to.deep.equal(ORDERS);
    }
  });
});
