import type { MigrationRecord } from "../../../platform/migration-record.js";
import { howFar } from "../../cli/words.js";

/** How far the present stage is, as the executor says. */
export function Progress({ record }: { record: MigrationRecord }) {
  const { doneBytes, totalBytes } = record.progress ?? {};
  const words = howFar(record);
  if (words.length === 0) return null;
  return (
    <span class="progress">
      {doneBytes !== undefined && totalBytes !== undefined && totalBytes > 0 && <progress value={doneBytes} max={totalBytes} />}{" "}
      {words.join(", ")}
    </span>
  );
}
