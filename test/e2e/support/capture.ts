import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../../../lab/lab.js";
import type { Machine } from "../../../lab/machine.js";
import { waitFor } from "../../support/wait-for.js";

/** One Ethernet frame, as far as the tests look at it. */
export interface Frame {
  readonly kind: "arp" | "udp" | "tcp" | "other";
  readonly source: string;
  /** Of ARP: who says that it has the address, whether it says so unasked, and whether to everybody. */
  readonly arp?: { readonly senderIpv4: string; readonly gratuitous: boolean; readonly broadcast: boolean };
  /** Of UDP. */
  readonly payload?: string;
  readonly tcp?: {
    readonly isReset: boolean;
    /** `from>to`. */
    readonly ports: string;
    readonly sequence: number;
    readonly payloadBytes: number;
  };
}

export interface Capture {
  /** In the order in which they passed the machine's interface. */
  frames(): Promise<Frame[]>;
  stop(): Promise<void>;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** tcpdump on the machine's uplink. @param words what tcpdump takes: flags first, then the filter */
export async function startCapture(lab: Lab, machine: Machine, ...words: readonly string[]): Promise<Capture> {
  const file = `capture-${machine.name}.pcap`;
  const command = ["tcpdump", "-i", "eth0", "-n", "-U", "--immediate-mode", "-w", `/shared/${file}`, ...words];
  const service = await machine.spawn(command, { name: "tcpdump" });
  await waitFor("tcpdump to listen", async () => (await readFile(service.logFile, "utf8")).includes("listening on"));
  return {
    frames: async () => readFrames(await readFile(join(lab.sharedDirectory, file))),
    stop: () => service.kill(),
  };
}

/** https://wiki.wireshark.org/Development/LibpcapFileFormat, as tcpdump writes it on a little-endian machine. */
function readFrames(capture: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= capture.length; ) {
    const start = at + RECORD_HEADER_BYTES;
    const end = start + capture.readUInt32LE(at + 8);
    // The last one may still be being written.
    if (end > capture.length) break;
    frames.push(readFrame(capture.subarray(start, end)));
    at = end;
  }
  return frames;
}

function readFrame(frame: Buffer): Frame {
  const source = frame.toString("hex", 6, 12).replace(/..(?=.)/g, "$&:");
  const type = frame.readUInt16BE(12);
  if (type === 0x0806) {
    const sender = [...frame.subarray(28, 32)].join(".");
    const broadcast = frame.toString("hex", 0, 6) === "ff".repeat(6);
    return { kind: "arp", source, arp: { senderIpv4: sender, gratuitous: sender === [...frame.subarray(38, 42)].join("."), broadcast } };
  }
  if (type !== 0x0800) return { kind: "other", source };
  const body = frame.subarray(14 + (frame.readUInt8(14) & 0x0f) * 4);
  const protocol = frame.readUInt8(23);
  if (protocol === 17) return { kind: "udp", source, payload: body.toString("latin1", 8, body.readUInt16BE(4)) };
  if (protocol === 6) {
    const payloadBytes = frame.readUInt16BE(16) - (frame.readUInt8(14) & 0x0f) * 4 - (body.readUInt8(12) >> 4) * 4;
    const ports = `${body.readUInt16BE(0)}>${body.readUInt16BE(2)}`;
    return {
      kind: "tcp",
      source,
      tcp: { isReset: (body.readUInt8(13) & 0x04) !== 0, ports, sequence: body.readUInt32BE(4), payloadBytes },
    };
  }
  return { kind: "other", source };
}
