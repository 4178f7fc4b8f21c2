import type { ErrorAnswer } from "../../api-shapes.js";

const BASE = "/api/v1";
/** A fetch that finds no connection free waits for one without end. */
const READ_MILLISECONDS = 10_000;
/** Longer than a scheduler waits for the leader that it hands a request on to. */
const CHANGE_MILLISECONDS = 15_000;
const TOKEN = "evenkeel-operator-token";

/** What the scheduler said no with, or that it could not be asked. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** @throws Refusal */
export async function ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown, token?: string): Promise<T> {
  const response = await fetch(`${BASE}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(method === "GET" ? READ_MILLISECONDS : CHANGE_MILLISECONDS),
  }).catch((error: unknown) => {
    throw new Refusal("The scheduler does not answer", String(error), "SCHEDULER_UNREACHABLE");
  });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer as T;
  const { message, hint, code } = (answer as ErrorAnswer | null)?.error ?? {
    message: `HTTP ${response.status}`,
    hint: "",
    code: "INTERNAL",
  };
  throw new Refusal(message, hint, code);
}

/** For this tab only: gone when it is closed. */
export const keptToken = {
  read: () => sessionStorage.getItem(TOKEN) ?? "",
  write: (token: string) => sessionStorage.setItem(TOKEN, token),
  forget: () => sessionStorage.removeItem(TOKEN),
};
