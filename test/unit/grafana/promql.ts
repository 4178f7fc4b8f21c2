import { parser } from "@prometheus-io/lezer-promql";

export interface PromqlFacts {
  /** Pieces the grammar could not make sense of. */
  readonly errors: readonly string[];
  readonly metrics: readonly string[];
  /** Labels that are matched on, grouped by or joined on. */
  readonly labels: readonly string[];
}

/** What an expression speaks of, by Prometheus' own grammar. */
export function readPromql(expr: string): PromqlFacts {
  const errors: string[] = [];
  const metrics = new Set<string>();
  const labels = new Set<string>();
  parser.parse(expr).iterate({
    enter({ type, from, to, node }) {
      const text = expr.slice(from, to);
      if (type.isError) errors.push(`at ${from}: ${expr.slice(from, from + 20)}`);
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector") metrics.add(text);
      if (type.name === "LabelName") labels.add(text);
    },
  });
  return { errors, metrics: [...metrics], labels: [...labels] };
}
