import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { WorkloadAnswer } from "../../api-shapes.js";

const FLIGHT_MILLISECONDS = 900;

interface Place {
  readonly node: string;
  readonly x: number;
  readonly y: number;
}

/** Lets a chip glide from the card it has left to the card it now stands on, so that the eye can follow. */
export function useChipMotion(area: RefObject<HTMLElement | null>, workloads: readonly WorkloadAnswer[]): void {
  const places = useRef(new Map<string, Place>());
  useLayoutEffect(() => {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const origin = area.current!.getBoundingClientRect();
    const next = new Map<string, Place>();
    for (const chip of area.current!.querySelectorAll<HTMLElement>("[data-workload]")) {
      const box = chip.getBoundingClientRect();
      const place = { node: chip.dataset["node"]!, x: box.x - origin.x, y: box.y - origin.y };
      const before = places.current.get(chip.dataset["workload"]!);
      next.set(chip.dataset["workload"]!, place);
      if (before === undefined || before.node === place.node || calm) continue;
      chip.animate(
        [
          { transform: `translate(${before.x - place.x}px, ${before.y - place.y}px)`, zIndex: 3 },
          { transform: "none", zIndex: 3 },
        ],
        { duration: FLIGHT_MILLISECONDS, easing: "cubic-bezier(.3,.8,.3,1)" },
      );
    }
    places.current = next;
  }, [workloads]);
}
