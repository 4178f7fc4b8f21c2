import type { MigrationRecord } from "../../../platform/migration-record.js";
import { bytes } from "../../cli/words.js";

/** How far the present stage is, as the executor says. */
export function Progress({ record }: { record: MigrationRecord }) {
  const { doneBytes, totalBytes, note } = record.progress ?? {};
  if (doneBytes === undefined) return note === undefined ? null : <span class="note">{note}</span>;
  return (
    <span class="progress">
      {totalBytes !== undefined && totalBytes > 0 && <progress value={doneBytes} max={totalBytes} />} {bytes(doneBytes)}
      {totalBytes !== undefined && ` of ${bytes(totalBytes)}`}
    </span>
  );
}
