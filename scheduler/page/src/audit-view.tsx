import { useEffect, useState } from "preact/hooks";
import type { Answers } from "../../api-shapes.js";
import type { AuditEntry } from "../../audit.js";
import { ask } from "./ask.js";

const ENTRIES_SHOWN = 40;

/** Read only while it is open: most viewers never look. */
export function AuditView({ at }: { at: number | null }) {
  const [isOpen, setOpen] = useState(false);
  const [entries, setEntries] = useState<readonly AuditEntry[]>([]);
  useEffect(() => {
    if (!isOpen) return;
    ask<Answers["audit"]>("GET", `/audit?limit=${ENTRIES_SHOWN}`).then(
      (answer) => setEntries(answer.entries),
      () => {},
    );
  }, [isOpen, at]);
  return (
    <section aria-labelledby="audit-title">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2 id="audit-title">Audit</h2>
        </summary>
        <ol class="audit">
          {entries.map(({ id, at: time, kind, actor, node, workload, migration, detail }) => (
            <li key={id}>
              <time dateTime={new Date(time * 1000).toISOString()}>{new Date(time * 1000).toLocaleTimeString()}</time>{" "}
              <strong>{kind}</strong> <span class="muted">{[actor, node ?? migration ?? workload].filter(Boolean).join(" · ")}</span>{" "}
              {detail}
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}
