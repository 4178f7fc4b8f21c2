import { z } from "zod";

/** A wait for one answer, in epoch seconds; over a lost connection it lasts until the first answer on the next one. */
export const gapSchema = z.object({ from: z.number(), to: z.number(), seconds: z.number() });

export const lossSchema = z.object({ at: z.number(), because: z.string() });

export const clientReportSchema = z.object({
  workload: z.string(),
  requests: z.number().int(),
  wrongAnswers: z.number().int(),
  /** The first few, in words. */
  firstWrongAnswers: z.array(z.string()),
  /** Connections that the other side closed or reset. */
  resets: z.number().int(),
  lastLosses: z.array(lossSchema),
  /** True as long as all requests went over one TCP connection. */
  connectionKept: z.boolean(),
  /** Epoch seconds; null before the first connection. */
  connectedAt: z.number().nullable(),
  localPort: z.number().int().nullable(),
  longestGapSeconds: z.number(),
  /** How long the request that is open now has been waiting. */
  waitingSeconds: z.number(),
  /** The newest gaps over 0.1 s, oldest first. */
  gaps: z.array(gapSchema),
});

export const reportSchema = z.object({ at: z.number(), clients: z.array(clientReportSchema) });

export const gapAnswerSchema = z.object({ longestGapSeconds: z.number(), connectionKept: z.boolean() });

export type Gap = z.infer<typeof gapSchema>;
export type Loss = z.infer<typeof lossSchema>;
export type ClientReport = z.infer<typeof clientReportSchema>;
export type Report = z.infer<typeof reportSchema>;
export type GapAnswer = z.infer<typeof gapAnswerSchema>;
