import type { Fleet } from "../../../lab/fleet/fleet.js";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { FIRST } from "./moving-fleet.js";

const PAIR = WORKLOADS.find(({ name }) => name === "pair")!;
export const RELAY_PORT = 7001;
const SECOND_RELAY_PORT = 7002;

/** The container whose network it is. Its owner opts out of mapped user namespaces: joiners would have to be restored into another's. */
export const OWNER: LabWorkload = { ...PAIR, name: "owner" };

/**
 * Has joined that network, and passes on what comes to its own port, a connection to the owner over loopback for each client's. The owner counts
 * the requests of each connection: an answer is right only as long as both connections, the one inside too, are those from the beginning.
 */
export const RELAY = `
import socket, sys, threading
def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    finally:
        for end in (source, sink):
            try: end.shutdown(socket.SHUT_RDWR)
            except OSError: pass
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    try:
        owner = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    except OSError:
        client.close()
        continue
    for ends in ((client, owner), (owner, client)):
        for end in ends: end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pump, args=ends, daemon=True).start()
`;

const sideCar = (name: string, port: number): LabWorkload => ({
  ...PAIR,
  name,
  character: "relays to the owner over loopback",
  command: ["python3", "-S", "-B", "-c", RELAY, String(port), String(OWNER.port)],
  port,
});

export const SIDE_CAR = sideCar("side-car", RELAY_PORT);
export const SECOND_SIDE_CAR = sideCar("second-side-car", SECOND_RELAY_PORT);

/** Starts the owner and those that join it on the first node, which must have their image. */
export async function startSideCars({ lab }: Fleet, sideCars: readonly LabWorkload[]): Promise<void> {
  const { docker } = lab.node(FIRST);
  const ofOwner = toContainerCreateOptions(OWNER);
  await (await docker.createContainer({ ...ofOwner, HostConfig: { ...ofOwner.HostConfig, UsernsMode: "host" } })).start();
  for (const each of sideCars) {
    const { NetworkingConfig: _, ...options } = toContainerCreateOptions(each, `container:${OWNER.name}`);
    await (await docker.createContainer({ ...options, HostConfig: { ...options.HostConfig, UsernsMode: "host" } })).start();
  }
}
