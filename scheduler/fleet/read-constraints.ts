import { parseConstraints } from "../../policies/constraints.js";
import type { Constraints } from "../../policies/types.js";

const known = new WeakMap<object, Constraints>();

/** What these labels ask for. Labels that stay the same are the same object from one sample to the next, so each is parsed once. */
export function readConstraints(labels: Readonly<Record<string, string>>): Constraints {
  let constraints = known.get(labels);
  if (constraints === undefined) {
    constraints = parseConstraints(labels);
    known.set(labels, constraints);
  }
  return constraints;
}
