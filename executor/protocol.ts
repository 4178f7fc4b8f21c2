import { z } from "zod";
import type { ErrorCode } from "../platform/errors.js";
import type { Check, Finding } from "../platform/findings.js";

/** Held on the destination from reserve to close, so that policies and other migrations see the room as taken. */
export interface Reservation {
  readonly migrationId: string;
  readonly workload: string;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** Epoch seconds after which a forgotten reservation no longer counts. */
  readonly expiresAt: number;
}

/**
 * Which way executors move things, told to each other before every move. Raised with every change after which one of before and one of after would misunderstand each
 * other. 2: the executors' own rules keep a network shut, in the place of CRIU's lock. 3: a copy is not committed before its source has confirmed its images.
 */
export const MOVE_PROTOCOL = 3;

/** Names of the executor's metrics; docs/metrics.md explains them. */
export const METRICS = {
  blackoutSeconds: "evenkeel_migration_blackout_seconds",
  forecastErrorSeconds: "evenkeel_migration_blackout_forecast_error_seconds",
  stageSeconds: "evenkeel_migration_stage_duration_seconds",
  migrations: "evenkeel_migrations_total",
  bytes: "evenkeel_migration_bytes_total",
  active: "evenkeel_migrations_active",
} as const;

/** What a scheduler asks an executor through Redis: a scheduler has no certificate for executors, and executors serve nobody else. */
export const questionSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("doctor"), peers: z.array(z.string()).max(1000) }),
  z.object({ kind: z.literal("preflight"), name: z.string(), containerId: z.string(), from: z.string(), to: z.string() }),
]);
export const askedSchema = z.object({ id: z.string(), expiresAt: z.number(), question: questionSchema });
export type Question = z.infer<typeof questionSchema>;
export type Asked = z.infer<typeof askedSchema>;

export type Answer = { readonly value: unknown } | { readonly error: { readonly code: ErrorCode; readonly detail: string } };

/** How long an answer waits for whoever asked. */
export const ANSWER_SECONDS = 60;

/** Answer to `doctor`. */
export interface NodeReport {
  readonly checks: readonly Check[];
  /** What this node can do of the ways to move memory. */
  readonly modes: readonly string[];
  readonly pairs: readonly PairReport[];
}

export interface PairReport {
  readonly to: string;
  readonly findings: readonly Finding[];
}

/** Answer to `preflight`. */
export interface PreflightReport {
  readonly findings: readonly Finding[];
}

/** What each executor says of itself, in the hash `executors`, every REPORT_SECONDS. */
export const executorReportSchema = z.object({
  /** Epoch seconds. */
  at: z.number(),
  /** Since when it has reached none of those that it tried; null = it reaches some, or had nobody to try. */
  lostSince: z.number().nullable(),
  /** Peers that have just answered it over mutual TLS, and those that have not. */
  reached: z.array(z.string()),
  unreachable: z.array(z.string()),
  /** Its CPU, as CRIU writes it down, by digest; null = CRIU could not tell. An executor that does not compare says nothing. */
  cpuKind: z.string().nullish(),
  /** CPUs of the fleet whose running programs this one cannot take over, by CRIU's own check. */
  refusedCpus: z.array(z.string()).optional(),
});

export type ExecutorReport = z.infer<typeof executorReportSchema>;

export const REPORT_SECONDS = 10;
