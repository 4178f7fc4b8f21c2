import { spawn } from "node:child_process";
import type { Uplink } from "./uplinks.js";

const ETHERNET_MINIMUM_BYTES = 60;

/** Somebody who stands ready to say by an uplink that the workload is to be reached there. */
export interface Announcer {
  announce(): void;
  close(): void;
}

/**
 * A gratuitous ARP request from the workload's own MAC (RFC 5227, 3): switches learn from it behind which port the workload is. It is a
 * raw frame because nothing on this node has that MAC yet.
 */
export function gratuitousArp({ macAddress, ipv4Address }: Uplink): Buffer {
  const mac = Buffer.from(macAddress.replaceAll(":", ""), "hex");
  // Without an address it tells nobody's neighbour anything, and switches all the same.
  const address = Buffer.from((ipv4Address || "0.0.0.0").split(".").map(Number));
  const frame = Buffer.concat([
    Buffer.alloc(6, 0xff),
    mac,
    // Type ARP; Ethernet and IPv4, their lengths; request.
    Buffer.from("08060001080006040001", "hex"),
    mac,
    address,
    Buffer.alloc(6),
    address,
  ]);
  return Buffer.concat([frame, Buffer.alloc(ETHERNET_MINIMUM_BYTES - frame.length)]);
}

/** Started ahead of the freeze, which then does not wait for programs to start. */
export function openAnnouncer(uplinks: readonly Uplink[]): Announcer {
  const speakers = uplinks.map((uplink) => {
    const child = spawn("socat", ["-u", "-", `INTERFACE:${uplink.device}`], { stdio: ["pipe", "ignore", "ignore"] });
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    return { child, frame: gratuitousArp(uplink) };
  });
  return {
    announce: () => {
      for (const { child, frame } of speakers) child.stdin.write(frame);
    },
    close: () => {
      for (const { child } of speakers) child.stdin.end();
    },
  };
}
