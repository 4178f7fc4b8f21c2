import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../../../lab/lab.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";

export const DATAGRAM_PORT = 7001;
export const STREAM_PORT = 7002;
const REPORT_PORT = 7000;
const REPORT = "paced-traffic.json";

/** Takes numbered lines on streams and numbered datagrams, and says on a third port which datagrams came and which lines were not the next. */
const SINK = `
import json, socket, threading
datagrams, faults, lines = [], [], 0

def take_datagrams():
    inlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    inlet.bind(("0.0.0.0", ${DATAGRAM_PORT}))
    while True:
        datagrams.append(int(inlet.recv(64)))

def take_lines(stream):
    global lines
    expected = 0
    for line in stream.makefile("rb"):
        if int(line) != expected:
            faults.append(f"{int(line)} instead of {expected}")
        expected = int(line) + 1
        lines += 1

def listen(port, handle):
    door = socket.create_server(("0.0.0.0", port), backlog=64)
    while True:
        threading.Thread(target=handle, args=(door.accept()[0],), daemon=True).start()

def report(caller):
    with caller:
        caller.sendall(json.dumps({"datagrams": datagrams, "faults": faults, "lines": lines}).encode())

threading.Thread(target=take_datagrams, daemon=True).start()
threading.Thread(target=listen, args=(${STREAM_PORT}, take_lines), daemon=True).start()
print("ready", flush=True)
listen(${REPORT_PORT}, report)
`;

/** Sends at times of its own, whatever is answered: a line on each stream every so many seconds or so, and a datagram. */
const SENDER = `
import json, os, random, socket, sys, threading, time
address, count, line_seconds, datagram_seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
streams = [socket.create_connection((address, ${STREAM_PORT})) for _ in range(count)]
trouble, stopped = [], threading.Event()

def stream_lines(stream):
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    number = 0
    while not stopped.is_set():
        try:
            stream.sendall(f"{number}\\n".encode())
        except OSError as error:
            trouble.append(str(error))
            return
        number += 1
        time.sleep(line_seconds * random.uniform(0.4, 1.6))

def send_datagrams():
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = 0
    while not stopped.is_set():
        outlet.sendto(f"{number}".encode(), (address, ${DATAGRAM_PORT}))
        number += 1
        time.sleep(datagram_seconds)

for stream in streams:
    threading.Thread(target=stream_lines, args=(stream,), daemon=True).start()
threading.Thread(target=send_datagrams, daemon=True).start()
while True:
    with open("/shared/${REPORT}.new", "w") as out:
        json.dump(trouble, out)
    os.rename("/shared/${REPORT}.new", "/shared/${REPORT}")
    time.sleep(0.05)
`;

export const PACED_SINK: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: "sink",
  command: ["python3", "-S", "-B", "-c", SINK],
  address: "10.77.0.152",
  macAddress: "02:45:4b:00:00:98",
};

export interface PacedTraffic {
  /** What the workload says it has got. */
  received(): Promise<{ datagrams: number[]; faults: string[]; lines: number }>;
  /** Errors that the sender's streams have met. */
  trouble(): Promise<string[]>;
  /** Resolves when lines and datagrams have come that were not there before. */
  goesOn(): Promise<void>;
  stop(): Promise<void>;
}

export interface Pace {
  readonly streams: number;
  /** Between two lines of a stream, in the mean. */
  readonly lineSeconds: number;
  /** Between two datagrams: what comes in a blackout must fit into the socket's buffer, for some five hundred of them, which it is let go into at once. */
  readonly datagramSeconds: number;
}

const BRISK: Pace = { streams: 20, lineSeconds: 0.0125, datagramSeconds: 0.02 };

export async function startPacedTraffic(lab: Lab, address: string, pace = BRISK): Promise<PacedTraffic> {
  const received = async () => {
    const ask = `import socket,sys; print(socket.create_connection(("${address}", ${REPORT_PORT}), timeout=5).makefile().read())`;
    return JSON.parse((await lab.clients.exec(["python3", "-c", ask])).stdout);
  };
  await waitFor("the workload to answer", received, { deadlineSeconds: 30 });
  const { streams, lineSeconds, datagramSeconds } = pace;
  const words = ["python3", "-c", SENDER, address, ...[streams, lineSeconds, datagramSeconds].map(String)];
  const sender = await lab.clients.spawn(words, { name: "paced-traffic" });
  const goesOn = async () => {
    const before = await received();
    await waitFor(
      "the traffic to arrive",
      async () => {
        const now = await received();
        // Each stream has had its turn, some times.
        return now.lines > before.lines + 10 * streams && now.datagrams.length > before.datagrams.length + 10;
      },
      { deadlineSeconds: 30, everyMilliseconds: 200 },
    );
  };
  await goesOn();
  return {
    received,
    trouble: async () => JSON.parse(await readFile(join(lab.sharedDirectory, REPORT), "utf8")),
    goesOn,
    stop: () => sender.kill("SIGKILL"),
  };
}
