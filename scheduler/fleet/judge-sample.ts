import { type NodeIdentity, type NodeSample, nodeIdentitySchema, nodeSampleSchema } from "../../collector/protocol.js";
import { reuseStrings } from "./reuse-strings.js";

/** A text of Redis and what it says: the same text is parsed and checked once, however often it is read. */
export interface ReadSample {
  readonly text: string;
  readonly sample: NodeSample | null;
  /** Why there is none; null = there is one. */
  readonly trouble: string | null;
}

export function readSample(text: string, before: ReadSample | undefined): ReadSample {
  if (before?.text === text) return before;
  const refuse = (trouble: string): ReadSample => ({ text, sample: null, trouble });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`its sample is not JSON: ${(error as Error).message}`);
  }
  const parsed = nodeSampleSchema.safeParse(value);
  if (!parsed.success) {
    const first = parsed.error.issues[0];
    return refuse(`its sample is not valid: ${first?.path.join(".") ?? ""} ${first?.message ?? ""}`.trimEnd());
  }
  if (before?.sample) reuseStrings(parsed.data, before.sample);
  return { text, sample: parsed.data, trouble: null };
}

/** Whether it may be believed now: judged anew at each reading, since a sample ages while its text stays the same. Null = yes. */
export function whyNotBelieved(id: string, sample: NodeSample, at: number, sampleTtlSeconds: number): string | null {
  if (sample.node !== id) return `its sample speaks of ${sample.node}`;
  const ageSeconds = at - sample.at;
  if (ageSeconds > sampleTtlSeconds) return `its sample is ${Math.round(ageSeconds)} s old`;
  if (ageSeconds < -sampleTtlSeconds) return `its sample is dated ${Math.round(-ageSeconds)} s ahead: set the node's clock`;
  return null;
}

export interface ReadIdentity {
  readonly text: string;
  /** Null: it cannot be understood. */
  readonly identity: NodeIdentity | null;
}

export function readIdentity(text: string, before: ReadIdentity | undefined): ReadIdentity {
  if (before?.text === text) return before;
  try {
    return { text, identity: nodeIdentitySchema.safeParse(JSON.parse(text)).data ?? null };
  } catch {
    return { text, identity: null };
  }
}
