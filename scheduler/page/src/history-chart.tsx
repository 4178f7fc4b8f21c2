import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import type { NodePoint } from "../../../policies/types.js";
import { describeHistory } from "./describe-history.js";

const HEIGHT_PIXELS = 72;

/** CPU and memory of the last minutes that the node was heard, from 0 to 100 %. A reading that failed is a gap, and so is a silence. */
export function HistoryChart({ history, name, now }: { history: readonly NodePoint[]; name: string; now: number }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  const isDark = useDarkness();
  const { series, span, spoken } = describeHistory(history, now);
  const latest = useRef<UPlot.AlignedData>(series);
  latest.current = series;
  useEffect(() => {
    const element = box.current!;
    const colour = (variable: string) => getComputedStyle(element).getPropertyValue(variable).trim();
    const axis = {
      stroke: colour("--muted"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: "10px system-ui",
    };
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PIXELS,
        padding: [7, 2, 7, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: [0, 1] } },
        axes: [
          { ...axis, show: false },
          { ...axis, size: 34, splits: () => [0, 0.5, 1], values: (_plot, splits) => splits.map((split) => `${split * 100} %`) },
        ],
        series: [
          {},
          { stroke: colour("--cpu"), width: 1.5, fill: `${colour("--cpu")}22`, points: { show: false } },
          { stroke: colour("--memory"), width: 1.5, points: { show: false } },
        ],
      },
      latest.current,
      element,
    );
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PIXELS }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [isDark]);
  useEffect(() => chart.current?.setData(latest.current), [history]);

  return (
    <figure class="history">
      <div ref={box} role="img" aria-label={`${name}: ${spoken}`} />
      <figcaption>
        {span}: <span class="key cpu">CPU</span> <span class="key memory">memory</span>
      </figcaption>
    </figure>
  );
}

function useDarkness(): boolean {
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const listener = () => setDark(query.matches);
    query.addEventListener("change", listener);
    return () => query.removeEventListener("change", listener);
  }, []);
  return isDark;
}
