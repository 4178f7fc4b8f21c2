import { percent } from "../../cli/words.js";

const NAMES = { cpu: "CPU", memory: "Memory" } as const;

/** A bar from 0 to 100 %. What is unknown is hatched, never empty. */
export function LoadBar({ kind, ratio, words }: { kind: "cpu" | "memory"; ratio: number | null; words: string }) {
  const value = ratio === null ? undefined : Math.round(ratio * 100);
  return (
    <div class="load">
      <span class="load-name">{NAMES[kind]}</span>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element cannot be hatched for what is unknown */}
      <div
        class={`bar ${kind} ${ratio === null ? "unknown" : ""}`}
        role="meter"
        aria-label={NAMES[kind]}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={value}
        aria-valuetext={ratio === null ? "unknown" : `${percent(ratio)}, ${words}`}
      >
        <div class="fill" style={{ width: `${Math.min(100, value ?? 100)}%` }} />
      </div>
      <span class="load-value">{percent(ratio)}</span>
      <span class="load-words">{words}</span>
    </div>
  );
}
