import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface FaultyProxy {
  readonly port: number;
  /** Flips a bit in the last byte but `fromEnd` of the next chunk that comes from the workload. */
  corruptOnce(fromEnd?: number): void;
  /** Sends the next chunk from the workload, and then the same again. */
  repeatOnce(): void;
  /** Resets all connections. */
  reset(): void;
  /** Holds back what comes from the workload until `release`. */
  stall(): void;
  release(): void;
  close(): Promise<void>;
}

/** Stands between a client and a workload and does what a bad migration might do to a connection. */
export async function startFaultyProxy(workloadPort: number): Promise<FaultyProxy> {
  const pairs = new Set<{ client: Socket; workload: Socket }>();
  let spoil: ((chunk: Buffer) => Buffer) | undefined;

  const server = createServer((client) => {
    const workload = connect({ host: "127.0.0.1", port: workloadPort, noDelay: true });
    const pair = { client, workload };
    pairs.add(pair);
    client.setNoDelay(true).on("data", (chunk) => workload.write(chunk));
    workload.on("data", (chunk: Buffer) => {
      client.write(spoil ? spoil(chunk) : chunk);
      spoil = undefined;
    });
    for (const socket of [client, workload]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        workload.destroy();
        pairs.delete(pair);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    corruptOnce: (fromEnd = 1) => {
      spoil = (chunk) => {
        const spoilt = Buffer.from(chunk);
        const at = Math.max(0, spoilt.length - 1 - fromEnd);
        spoilt[at] = spoilt[at]! ^ 1;
        return spoilt;
      };
    },
    repeatOnce: () => {
      spoil = (chunk) => Buffer.concat([chunk, chunk]);
    },
    reset: () => {
      for (const { client } of pairs) client.resetAndDestroy();
    },
    stall: () => {
      for (const { workload } of pairs) workload.pause();
    },
    release: () => {
      for (const { workload } of pairs) workload.resume();
    },
    close: async () => {
      for (const { client } of pairs) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
