import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { type Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type ErrorCode, EvenkeelError } from "../../platform/errors.js";
import type { Finding } from "../../platform/findings.js";
import type { readTls } from "../../platform/tls.js";
import type { Introduction } from "../preflight/node-probe.js";
import { makeHeartbeat } from "./heartbeat.js";
import {
  type HoldAnswer,
  type IncomingStatus,
  type Offer,
  type OfferAnswer,
  type Outgoing,
  type RestoreAnswer,
  type RestoreRequest,
  type RoomAnswer,
  RSYNC_UPGRADE,
  routes,
  type TwinAnswer,
  type TwinRequest,
} from "./protocol.js";

/** Enough to fill the buffers on the way and then tell the link's own rate, on 10 Gbit/s as on 100 Mbit/s. */
const PROBE_BYTES_MOST = 32 << 20;
const PROBE_SECONDS_MOST = 0.3;
const PROBE_PIECE_BYTES = 256 << 10;

export interface Peer {
  /** What stands between this node and the peer, whatever is to be moved. */
  compare(introduction: Introduction): Promise<{ readonly findings: readonly Finding[] }>;
  /** As `offer`, but only asked: nothing is kept there. */
  preflight(offer: Offer): Promise<OfferAnswer>;
  /** Under which it was reached. */
  readonly host: string;
  offer(id: string, offer: Offer): Promise<OfferAnswer>;
  /** Bytes a second that the link takes now, by trying. */
  measureLink(id: string): Promise<number>;
  /** Whether the peer got the image from a registry. */
  pullImage(id: string): Promise<{ readonly isHere: boolean }>;
  sendImage(id: string, image: Outgoing): Promise<void>;
  makeTwin(id: string, request: TwinRequest): Promise<TwinAnswer>;
  /** A byte stream to an rsync daemon that serves the twin's trees. */
  openFiles(id: string): Promise<Duplex>;
  hold(id: string): Promise<HoldAnswer>;
  steer(id: string): Promise<void>;
  /** Small pieces of memory, ahead of its images. */
  sendSmall(id: string, pieces: Outgoing): Promise<void>;
  sendMemory(id: string, images: Outgoing): Promise<void>;
  bookRoom(id: string, bytes: number): Promise<RoomAnswer>;
  sendRound(id: string, round: number, images: Outgoing): Promise<void>;
  /** Puts what has come of its files onto the disk there. */
  flush(id: string): Promise<void>;
  /** Before the freeze: as much of the restore as can do without images. */
  begin(id: string): Promise<void>;
  restore(id: string, body: RestoreRequest): Promise<RestoreAnswer>;
  /** The memory that was to follow is lost: the copy is to be started anew. */
  startAnew(id: string, body: Pick<Offer, "description">): Promise<void>;
  finish(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  status(id: string): Promise<IncomingStatus>;
  /** Asks for a sign of life. */
  ping(): Promise<void>;
  /** Ends whatever is under way with this error; what is asked afterwards is not touched. */
  breakOff(cause: EvenkeelError): void;
  close(): void;
}

/** @param address `host:port` of the peer's executor; @param node the id its certificate must carry. */
export function connectPeer(address: string, node: string, tls: ReturnType<typeof readTls>, signOfLifeSeconds: number): Peer {
  const [host, port] = [address.slice(0, address.lastIndexOf(":")), Number(address.slice(address.lastIndexOf(":") + 1))];
  const agent = new Agent({ keepAlive: true, ...tls, servername: node });
  // Never behind what waits, and no handshake twice a second while a workload stands still.
  const pinging = new Agent({ keepAlive: true, maxSockets: 1, ...tls, servername: node });
  const base: RequestOptions = { host, port, agent, ...tls, servername: node };

  const ping = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(
        { ...base, agent: pinging, method: "GET", path: routes.alive, timeout: signOfLifeSeconds * 1000 },
        (response) => {
          response.resume();
          response.once("end", resolve);
        },
      );
      sent.once("timeout", () => sent.destroy(new Error("timed out")));
      sent.once("error", reject);
      sent.end();
    });
  const heartbeat = makeHeartbeat(ping);

  const unreachable = (error: Error) =>
    error instanceof EvenkeelError
      ? error
      : new EvenkeelError("PEER_UNREACHABLE", `${node} at ${address}: ${error.message}`, { cause: error });

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const payload = JSON.stringify(body ?? {});
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        { ...base, method, path, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) } },
        resolve,
      );
      const watch = heartbeat.watch(sent);
      sent.once("close", watch.done);
      sent.once("error", (error) => reject(unreachable(error)));
      sent.end(payload);
    });
    return finishResponse<T>(response, node);
  }

  async function send(path: string, { stream, isCompressed }: Outgoing): Promise<void> {
    const headers = { "content-type": "application/octet-stream", ...(isCompressed ? { "content-encoding": "zstd" } : {}) };
    let sent: ReturnType<typeof request>;
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      sent = request({ ...base, method: "PUT", path, headers }, resolve);
      const watch = heartbeat.watch(sent);
      sent.once("close", watch.done);
      sent.once("error", (error) => reject(unreachable(error)));
    });
    response.catch(() => {});
    // The peer's refusal says more than the broken pipe it causes.
    const piped = pipeline(stream, sent!).catch((error: Error) => unreachable(error));
    await finishResponse(await response, node);
    const broken = await piped;
    if (broken instanceof Error) throw broken;
  }

  return {
    compare: (introduction) => call("POST", routes.compare, introduction),
    preflight: (offer) => call("POST", routes.preflight, offer),
    host,
    offer: (id, offer) => call("POST", routes.offer(id), offer),
    measureLink: async (id) => {
      const began = performance.now();
      let bytes = 0;
      const filling = Buffer.alloc(PROBE_PIECE_BYTES);
      const pieces = function* () {
        while (bytes < PROBE_BYTES_MOST && performance.now() - began < PROBE_SECONDS_MOST * 1000) {
          bytes += filling.length;
          yield filling;
        }
      };
      await send(routes.probe(id), { stream: Readable.from(pieces(), { objectMode: false }), isCompressed: false });
      return bytes / ((performance.now() - began) / 1000);
    },
    pullImage: (id) => call("POST", routes.pull(id)),
    sendImage: (id, image) => send(routes.image(id), image),
    makeTwin: (id, body) => call("POST", routes.twin(id), body),
    openFiles: (id) =>
      new Promise((resolve, reject) => {
        const sent = request({
          ...base,
          agent: false,
          method: "GET",
          path: routes.files(id),
          headers: { connection: "Upgrade", upgrade: RSYNC_UPGRADE },
        });
        const opening = heartbeat.watch(sent);
        sent.once("close", opening.done);
        sent.once("upgrade", (_response, socket, head) => {
          opening.done();
          if (head.length > 0) socket.unshift(head);
          const watch = heartbeat.watch(socket);
          socket.once("close", watch.done);
          resolve(socket);
        });
        sent.once("response", (response) =>
          finishResponse(response, node).then(() => reject(unreachable(new Error("no upgrade"))), reject),
        );
        sent.once("error", (error) => reject(unreachable(error)));
        sent.end();
      }),
    hold: (id) => call("POST", routes.hold(id)),
    steer: (id) => call("POST", routes.steer(id)),
    sendSmall: (id, pieces) => send(routes.small(id), pieces),
    sendMemory: (id, images) => send(routes.memory(id), images),
    bookRoom: (id, bytes) => call("POST", routes.room(id), { bytes }),
    sendRound: (id, round, images) => send(routes.round(id, round), images),
    flush: (id) => call("POST", routes.flush(id)),
    begin: (id) => call("POST", routes.begin(id)),
    restore: (id, body) => call("POST", routes.restore(id), body),
    startAnew: (id, body) => call("POST", routes.anew(id), body),
    finish: (id) => call("POST", routes.finish(id)),
    remove: (id) => call("DELETE", routes.migration(id)),
    status: (id) => call("GET", routes.migration(id)),
    ping,
    breakOff: heartbeat.breakOff,
    close: () => {
      heartbeat.close();
      agent.destroy();
      pinging.destroy();
    },
  };
}

/** The peer's answer, or the peer's error of the catalogue as our own. */
async function finishResponse<T>(response: IncomingMessage, node: string): Promise<T> {
  const body = await text(response);
  const status = response.statusCode ?? 0;
  let value: unknown = null;
  try {
    value = body === "" ? null : JSON.parse(body);
  } catch {
    // Not ours: the status line below says so.
  }
  if (status >= 200 && status < 300) return value as T;
  const error = (value as { error?: { code: ErrorCode; detail: string } } | null)?.error;
  if (error === undefined) throw new EvenkeelError("PEER_UNREACHABLE", `${node} answered HTTP ${status}`);
  throw new EvenkeelError(error.code, `${error.detail} (on ${node})`);
}
