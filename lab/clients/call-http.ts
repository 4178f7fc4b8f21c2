import { Agent, get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { KNOWN_FILES, knownBytes, sha256 } from "../workloads/known-files.js";
import { AnswerBroken, ConnectionLost } from "./connection.js";
import type { Caller } from "./dialogue.js";

const FILES = KNOWN_FILES.map(({ name, bytes }) => ({ path: `/${name}`, sha256: sha256(knownBytes(name, bytes)) }));

/** Fetches the known files in turn over one connection kept alive. */
export function makeHttpCaller(): Caller {
  return async ({ host, port }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
    const headersSeen = new Map<string, string>();
    let first: Socket | undefined;
    let asked = 0;

    /** The same file comes with the same headers each time. */
    function checkHeaders(path: string, rawHeaders: readonly string[]): string[] {
      const headers = rawHeaders.filter((_, index) => rawHeaders[index - 1] !== "Date").join("\n");
      const before = headersSeen.get(path) ?? headers;
      headersSeen.set(path, before);
      return headers === before ? [] : [`${path}: headers ${JSON.stringify(headers)}, before ${JSON.stringify(before)}`];
    }

    async function fetchNext(): Promise<string[]> {
      const file = FILES[asked++ % FILES.length]!;
      const { response, socket } = await request(agent, { host, port, path: file.path });
      first ??= socket;
      // The agent opens another connection without a word when the server has closed the old one.
      if (socket !== first) throw new ConnectionLost("the server had closed the connection; another was opened");
      const body = await buffer(response).catch((error: Error) => {
        throw asOurs(error);
      });
      const faults = checkHeaders(file.path, response.rawHeaders);
      if (response.statusCode !== 200) faults.push(`${file.path} answered ${response.statusCode}`);
      if (sha256(body) !== file.sha256)
        faults.push(`${file.path}: ${body.length} bytes with sha256 ${sha256(body)}, expected ${file.sha256}`);
      return faults;
    }

    let faultsOfOpening = await fetchNext().catch((error: unknown) => {
      agent.destroy();
      throw error;
    });
    return {
      localPort: first?.localPort ?? 0,
      close: () => agent.destroy(),
      async ask() {
        const earlier = faultsOfOpening;
        faultsOfOpening = [];
        return [...earlier, ...(await fetchNext())];
      },
    };
  };
}

function request(
  agent: Agent,
  where: { host: string; port: number; path: string },
): Promise<{ response: IncomingMessage; socket: Socket }> {
  return new Promise((resolve, reject) => {
    get({ agent, ...where }, (response) => resolve({ response, socket: response.socket })).on("error", (error) => reject(asOurs(error)));
  });
}

/** The parser's errors (HPE_…) mean that something else than HTTP came back. */
function asOurs(error: NodeJS.ErrnoException): Error {
  return error.code?.startsWith("HPE_") ? new AnswerBroken(`not HTTP: ${error.message}`) : new ConnectionLost(error.message);
}
