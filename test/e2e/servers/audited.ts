import type { Address } from "../../../lab/clients/connection.js";
import type { Caller } from "../../../lab/clients/dialogue.js";

/** A caller that can say in the end, over a connection of its own, whether the server still has all that it was given. */
export interface Audited {
  readonly call: Caller;
  audit(address: Address): Promise<Audit>;
}

export interface Audit {
  /** How many things were looked at. */
  readonly checked: number;
  readonly faults: readonly string[];
}
