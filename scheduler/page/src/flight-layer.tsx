import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { WorkloadAnswer } from "../../api-shapes.js";

interface Flight {
  readonly record: MigrationRecord;
  readonly path: string;
}

interface Props {
  readonly area: RefObject<HTMLElement | null>;
  readonly open: readonly MigrationRecord[];
  readonly workloads: readonly WorkloadAnswer[];
}

/** A running line from each workload that is being moved to the place it is going to. */
export function FlightLayer({ area, open, workloads }: Props) {
  const [flights, setFlights] = useState<readonly Flight[]>([]);
  useLayoutEffect(() => {
    const measure = () => setFlights(open.flatMap((record) => findFlight(area.current!, record) ?? []));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(area.current!);
    return () => observer.disconnect();
  }, [open.map(({ id, updatedAt }) => `${id} ${updatedAt}`).join(), workloads]);
  return (
    <div class="flights" aria-hidden="true">
      <svg width="100%" height="100%" aria-hidden="true">
        {flights.map(({ record, path }) => (
          <g key={record.id} class={record.outcome === "aborted" ? "flight undone" : "flight"} data-flight={record.workload}>
            <path class="flight-line" d={path} />
            <path class="flight-dash" d={path} />
          </g>
        ))}
      </svg>
    </div>
  );
}

function findFlight(area: HTMLElement, record: MigrationRecord): Flight | null {
  const find = (attribute: string) => area.querySelector<HTMLElement>(`[${attribute}="${CSS.escape(record.workload)}"]`);
  const source = find("data-workload");
  const ghost = find("data-ghost");
  if (source === null || ghost === null) return null;
  const origin = area.getBoundingClientRect();
  const from = source.getBoundingClientRect();
  const to = ghost.getBoundingClientRect();
  const isRight = to.left >= from.right;
  const isLeft = to.right <= from.left;
  const y = (box: DOMRect) => box.top + box.height / 2 - origin.top;
  // Cards in one column: leave and arrive on the right-hand side.
  const x1 = (isLeft ? from.left : from.right) - origin.left;
  const x2 = (isRight ? to.left : to.right) - origin.left;
  const bend = isRight || isLeft ? (x2 - x1) / 2 : 36;
  const path = `M ${x1} ${y(from)} C ${x1 + bend} ${y(from)}, ${x2 + (isRight || isLeft ? -bend : 36)} ${y(to)}, ${x2} ${y(to)}`;
  return { record, path };
}
