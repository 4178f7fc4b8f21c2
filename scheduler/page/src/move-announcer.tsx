import { useEffect, useRef, useState } from "preact/hooks";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { duration } from "../../cli/words.js";

/** Tells those who listen rather than look when a move begins and how it ended. */
export function MoveAnnouncer({ migrations }: { migrations: readonly MigrationRecord[] }) {
  const known = useRef<ReadonlyMap<string, string | null> | null>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    const before = known.current;
    known.current = new Map(migrations.map(({ id, result }) => [id, result]));
    if (before === null || before.size === 0) return;
    const news = migrations.flatMap((record) => {
      if (!before.has(record.id)) return [`${record.name} is being moved from ${record.from} to ${record.to}`];
      return record.result !== null && before.get(record.id) === null ? [conclude(record)] : [];
    });
    if (news.length > 0) setText(news.join(". "));
  }, [migrations]);
  return (
    <p class="unseen" role="status">
      {text}
    </p>
  );
}

function conclude(record: MigrationRecord): string {
  if (record.result !== "succeeded") return `Moving ${record.name} ${record.result}`;
  return `${record.name} runs on ${record.to}, blackout ${duration(record.blackoutSeconds)}`;
}
