import { z } from "zod";

/** One setting of a schema. */
export interface Setting {
  /** Dotted path; `[]` stands for an entry of a list. */
  readonly path: string;
  readonly allowed: string;
  /** Undefined: none, it must be given or may be left out. */
  readonly standard: unknown;
  readonly isRequired: boolean;
  readonly meaning: string;
}

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: Node | boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Every leaf of a schema of objects, in the schema's order. */
export function settingsOf(schema: z.ZodType): Setting[] {
  return leaves(z.toJSONSchema(schema, { io: "input" }) as Node, "", false);
}

function leaves(node: Node, path: string, isRequired: boolean): Setting[] {
  const below = (parent: Node, prefix: string) =>
    Object.entries(parent.properties ?? {}).flatMap(([name, child]) => {
      // A section that is left out as a whole may stand for more than its fields say each.
      const ofSection = (parent.default as Readonly<Record<string, unknown>> | undefined)?.[name];
      const full = ofSection === undefined ? child : { default: ofSection, ...child };
      const required = ofSection === undefined && (parent.required?.includes(name) ?? false);
      return leaves(full, prefix === "" ? name : `${prefix}.${name}`, required);
    });
  if (node.properties !== undefined) return below(node, path);
  const self: Setting = { path, allowed: sayAllowed(node), standard: node.default, isRequired, meaning: node.description ?? "" };
  return node.items?.properties === undefined ? [self] : [self, ...below(node.items, `${path}[]`)];
}

function sayAllowed(node: Node): string {
  if (node.anyOf !== undefined) return node.anyOf.map(sayAllowed).join(", or ");
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  switch (node.type) {
    case "integer":
      return `whole number${sayRange(node)}`;
    case "number":
      return `number${sayRange(node)}`;
    case "boolean":
      return "`true`, `false`";
    case "string":
      return sayText(node);
    case "array":
      return node.items?.properties === undefined ? "list of texts" : "list of objects";
    case "object":
      return typeof node.additionalProperties === "object" && node.additionalProperties.type === "string"
        ? "object of texts"
        : "object, see below";
    default:
      return node.type ?? "anything";
  }
}

/** zod gives whole numbers the greatest safe integer as their end, which tells nobody anything. */
function sayRange({ minimum, exclusiveMinimum, maximum }: Node): string {
  const end = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? null : maximum;
  const begin = minimum !== undefined ? `${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : null;
  if (begin === null && end === null) return "";
  if (end === null) return minimum === undefined ? ` ${begin}` : `, ${begin} or more`;
  return begin === null ? `, at most ${end}` : `, ${begin} to ${end}`;
}

function sayText({ pattern, minLength, format }: Node): string {
  if (format === "uri") return "URL";
  if (pattern !== undefined) return `text like \`${pattern}\``;
  return minLength !== undefined && minLength > 1 ? `text, ${minLength} characters or more` : "text";
}
