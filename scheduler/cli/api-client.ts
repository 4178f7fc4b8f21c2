import { CATALOGUE, type ErrorCode, EvenkeelError } from "../../platform/errors.js";
import type { ErrorAnswer } from "../api-shapes.js";
import { API_BASE } from "../protocol.js";

export interface ApiClient {
  readonly url: string;
  /** @throws the scheduler's own error, or SCHEDULER_UNREACHABLE. */
  ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown, timeoutSeconds?: number): Promise<T>;
}

const TIMEOUT_SECONDS = 15;

export function makeApiClient(url: string, token: string | undefined): ApiClient {
  return {
    url,
    ask: async <T>(method: string, path: string, body?: unknown, timeoutSeconds = TIMEOUT_SECONDS) => {
      let response: Response;
      try {
        response = await fetch(new URL(`${API_BASE}${path}`, url), {
          method,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutSeconds * 1000),
        });
      } catch (error) {
        const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
        throw new EvenkeelError("SCHEDULER_UNREACHABLE", `${url}: ${cause?.code ?? cause?.message ?? message}`, { cause: error });
      }
      const answer: unknown = await response.json().catch(() => null);
      if (response.ok && answer !== null) return answer as T;
      throw readError(answer, url, response.status);
    },
  };
}

function readError(answer: unknown, url: string, status: number): EvenkeelError {
  const error = (answer as ErrorAnswer | null)?.error;
  if (error === undefined || !(error.code in CATALOGUE)) {
    return new EvenkeelError("SCHEDULER_UNREACHABLE", `${url} answers HTTP ${status}, but not as a scheduler does`);
  }
  const code = error.code as ErrorCode;
  const lead = `${CATALOGUE[code].message}: `;
  const detail = error.message.startsWith(lead) ? error.message.slice(lead.length) : error.message;
  return new EvenkeelError(code, detail, { facts: { ...error.facts } });
}
