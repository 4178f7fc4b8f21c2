import { request } from "node:http";
import { json } from "node:stream/consumers";
import { type GapAnswer, gapAnswerSchema, type Report, reportSchema } from "./report.js";

/** The clients program as its callers see it, over its unix socket. Each call throws with the program's own words when refused. */
export function clientsAt(socketPath: string) {
  return {
    report: async (): Promise<Report> => reportSchema.parse(await ask(socketPath, "GET", "/report")),
    gaps: async (workload: string, since: number, until: number): Promise<GapAnswer> => {
      const query = new URLSearchParams({ workload, since: String(since), until: String(until) });
      return gapAnswerSchema.parse(await ask(socketPath, "GET", `/gaps?${query}`));
    },
    /** Resolves once the burner has agreed, over its one connection. */
    burn: async (workload: string, percent: number): Promise<void> => {
      await ask(socketPath, "POST", "/burn", { workload, percent });
    },
  };
}

/** One request to the program. Throws with its own words when refused. */
export function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ socketPath, method, path, headers }, (response) => {
      json(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(`the lab's clients answered ${response.statusCode} to ${method} ${path}: ${JSON.stringify(answer)}`));
      }, reject);
    });
    sent.once("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
