import { connect, type Socket } from "node:net";

/** The peer, or the path to it, has closed or reset the connection. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** What came back cannot be read as an answer at all, so the rest of the stream cannot be trusted either. */
export class AnswerBroken extends Error {
  override readonly name = "AnswerBroken";
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** No answer of any workload is longer; a line that never ends is a broken answer, not a reason to fill the memory. */
const LONGEST_LINE_BYTES = 64 * 1024;

/** One TCP connection, read in exact pieces. Never reconnects: reads and writes reject with ConnectionLost once it is gone. */
export class Connection {
  readonly localPort: number;
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.localPort = socket.localPort ?? 0;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  static open({ host, port }: Address): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once("error", (error) => reject(new ConnectionLost(error.message)));
      socket.once("connect", () => {
        // Errors reach the reader through the iterator; without a listener they would end the process.
        socket.on("error", () => {});
        resolve(new Connection(socket));
      });
    });
  }

  write(data: string | Buffer): void {
    if (!this.#socket.writable) throw new ConnectionLost("the connection is closed");
    this.#socket.write(data);
  }

  /** The next line, without its line end. */
  async readLine(): Promise<string> {
    for (let searched = 0; ; ) {
      const end = this.#unread.indexOf(0x0a, searched);
      if (end >= 0)
        return this.#take(end + 1)
          .toString("latin1")
          .trimEnd();
      searched = this.#unread.length;
      if (searched > LONGEST_LINE_BYTES) throw new AnswerBroken("a line without an end");
      await this.#readMore();
    }
  }

  async readBytes(count: number): Promise<Buffer> {
    while (this.#unread.length < count) await this.#readMore();
    return this.#take(count);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(count: number): Buffer {
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }

  async #readMore(): Promise<void> {
    const next = await this.#chunks.next().catch((error: Error) => {
      throw new ConnectionLost(error.message);
    });
    if (next.done) throw new ConnectionLost("the peer closed the connection");
    this.#unread = this.#unread.length === 0 ? next.value : Buffer.concat([this.#unread, next.value]);
  }
}
