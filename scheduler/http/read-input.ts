import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { EvenkeelError } from "../../platform/errors.js";
import { ASKED_MODES } from "../../policies/modes/choose-mode.js";

/** @throws INPUT_INVALID naming every wrong field. */
export function readInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  throw new EvenkeelError("INPUT_INVALID", words.join("; "));
}

const id = z.string().min(1).max(256);

export const nodeParams = z.strictObject({ id });
export const migrationParams = z.strictObject({ id });
export const nodesQuery = z.strictObject({ history: z.coerce.number().int().min(0).max(720).default(0) });
export const limitQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(50) });
export const undrainQuery = z.strictObject({
  bringHome: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
});
export const noQuery = z.strictObject({});
const noBody = z.strictObject({});

/** For routes that change or ask for work, and take a body: what stands in the query is refused. */
export const noQueryHere = { preHandler: async ({ query }: FastifyRequest) => void readInput(noQuery, query) };
/** For those that take a query: what comes in a body is refused. */
export const noBodyHere = { preHandler: async ({ body }: FastifyRequest) => void readInput(noBody, body) };
/** For those that take neither. */
export const nothingHere = { preHandler: [noQueryHere.preHandler, noBodyHere.preHandler] };

export const preflightBody = z.strictObject({ workload: id, to: id });
export const migrateBody = z.strictObject({ workload: id, to: id, mode: z.enum(ASKED_MODES).optional() });
/** Which nodes to look at; left out = all. */
export const doctorBody = z.strictObject({ nodes: z.array(id).min(1).max(1000).optional() });
export const maintenanceBody = z.strictObject({
  deadlineSeconds: z.number().positive().max(31_536_000).optional(),
  reason: z.string().trim().min(1).max(500).optional(),
});
/** Of a cordon, and of a pause. */
export const flagBody = z.strictObject({ reason: z.string().trim().min(1).max(500).optional() });
export const whatIfBody = z.strictObject({
  drain: z.array(id).max(10_000).optional(),
  lose: z.array(id).max(10_000).optional(),
  add: z.number().int().min(0).max(1000).optional(),
});
/** Which planned moves to make, and which nodes to put to sleep; with neither, all that the newest plan holds back. */
export const approveBody = z.strictObject({
  moves: z
    .array(z.strictObject({ workload: id, to: id }))
    .max(1000)
    .optional(),
  power: z
    .array(z.strictObject({ node: id, to: z.enum(["sleep", "wake"]) }))
    .max(1000)
    .optional(),
});
