import { createHash } from "node:crypto";
import { Connection } from "../../../lab/clients/connection.js";
import { LineExchange, lineDialogue } from "../../../lab/clients/line-exchange.js";
import type { Audited } from "./audited.js";

/** Puts word after word into its own ledger of a server (programs/ledger.*) and knows what each answer must be. */
export function makeLedgerCaller(name: string): Audited {
  let count = 0;
  let tip = "0".repeat(64);
  let answered = `${count} ${tip}`;
  return {
    call: async (address) => {
      let opened = false;
      let own = 0;
      return lineDialogue(await Connection.open(address), () => {
        if (!opened) {
          opened = true;
          return { words: `open ${name}`, check: () => [] };
        }
        const word = `${name}-${++count}`;
        tip = createHash("sha256").update(`${tip} ${word}`).digest("hex");
        const expected = `${count} ${tip} ${++own}`;
        return {
          words: `put ${word}`,
          check: (fields) => {
            answered = fields.slice(0, 2).join(" ");
            return fields.join(" ") === expected ? [] : [`answered ${fields.join(" ")}, expected ${expected}`];
          },
        };
      });
    },
    audit: async (address) => {
      const connection = await Connection.open(address);
      const { fields, faults } = await new LineExchange(connection).ask(`audit ${name}`);
      connection.close();
      const held = fields.join(" ");
      // The last word may have been on its way when the client stopped.
      const isRight = held === answered || held === `${count} ${tip}`;
      return { checked: Number(fields[0]), faults: [...faults, ...(isRight ? [] : [`${name} holds ${held}, last answered ${answered}`])] };
    },
  };
}
