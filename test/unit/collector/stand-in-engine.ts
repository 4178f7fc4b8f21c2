import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";

export interface StandInContainer {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** The container whose network it has joined. */
  readonly networkOf?: string;
  /** Those that it is attached to; left out: `bridge`. */
  readonly networks?: readonly string[];
  readonly paused?: boolean;
  readonly restarting?: boolean;
  /** It is there and does not run. */
  readonly exited?: boolean;
  /** Names of its volumes. */
  readonly volumes?: readonly string[];
}

/** Speaks the part of Docker's API that the collector uses, on a real socket, and fails as asked: what a real engine will not do on demand. */
export interface StandInEngine {
  readonly docker: Docker;
  readonly socketPath: string;
  containers: StandInContainer[];
  /** Names of its networks; null: it fails when asked. */
  networks: readonly string[] | null;
  /** `fail`: HTTP 500 · `hang`: no answer · `half`: lists all but cannot inspect. */
  behaviour: "serve" | "fail" | "hang" | "half";
  readonly lists: number;
  readonly followers: number;
  /** Called when a list is asked for; the answer, as it was then, goes out when this has ended. */
  whileListing: () => void | Promise<void>;
  /** @param id of the container; left out: none is named */
  emit(action: string, id?: string): void;
  /** Ends all event streams, as a restarting engine does. */
  cutEvents(): void;
  close(): Promise<void>;
}

export async function startStandInEngine(): Promise<StandInEngine> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-engine-"));
  const socketPath = join(directory, "docker.sock");
  const streams = new Set<ServerResponse>();
  let lists = 0;

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://engine").pathname;
    if (engine.behaviour === "hang") return;
    if (engine.behaviour === "fail") return void answer(response, 500, { message: "engine is ill" });
    if (path === "/events") {
      streams.add(response);
      response.on("close", () => streams.delete(response));
      return void response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    }
    if (path === "/version") return void answer(response, 200, { Version: "28.5.2" });
    if (path === "/networks") {
      const { networks } = engine;
      if (networks === null) return void answer(response, 500, { message: "engine is ill" });
      return void answer(
        response,
        200,
        networks.map((Name) => ({ Name })),
      );
    }
    if (path === "/containers/json") {
      lists += 1;
      const running = engine.containers.map(listContainer);
      return void Promise.resolve(engine.whileListing()).then(() => answer(response, 200, running));
    }
    if (engine.behaviour === "half") return void answer(response, 500, { message: "engine is ill" });
    const container = engine.containers.find(({ id }) => path === `/containers/${id}/json`);
    if (container === undefined) return void answer(response, 404, { message: "no such container" });
    answer(response, 200, describeContainer(container));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));

  const engine: StandInEngine = {
    docker: new Docker({ socketPath }),
    socketPath,
    containers: [],
    networks: ["bridge", "host", "none"],
    behaviour: "serve",
    get lists() {
      return lists;
    },
    get followers() {
      return streams.size;
    },
    whileListing: () => {},
    emit(action, id) {
      for (const stream of streams) stream.write(`${JSON.stringify({ Type: "container", Action: action, id })}\n`);
    },
    cutEvents() {
      for (const stream of streams) stream.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(directory, { recursive: true, force: true });
    },
  };
  return engine;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function listContainer(container: StandInContainer) {
  const { id, name, exited, paused, restarting } = container;
  const State = exited ? "exited" : paused ? "paused" : restarting ? "restarting" : "running";
  return { Id: id, Names: [`/${name}`], State, Mounts: mountsOf(container) };
}

function mountsOf({ volumes = [] }: StandInContainer) {
  return volumes.map((Name) => ({ Type: "volume", Name, Source: "", Destination: `/${Name}`, Driver: "local", Mode: "", RW: true }));
}

function describeContainer(container: StandInContainer) {
  const { id, name, pid, labels, networkOf, networks, paused, restarting, exited } = container;
  return {
    Id: id,
    Name: `/${name}`,
    Mounts: mountsOf(container),
    State: {
      Running: exited !== true,
      Paused: paused ?? false,
      Restarting: restarting ?? false,
      Pid: pid,
      StartedAt: "2026-11-22T12:00:00.5Z",
    },
    Config: { Image: "image:1", Labels: labels ?? {} },
    NetworkSettings: { Networks: Object.fromEntries((networkOf === undefined ? (networks ?? ["bridge"]) : []).map((each) => [each, {}])) },
    HostConfig: { NetworkMode: networkOf === undefined ? "bridge" : `container:${networkOf}` },
  };
}
