import type { MoveWindow } from "../types.js";

/** The open window that keeps hands off this node; null = none. */
export function windowOver(windows: readonly MoveWindow[] | undefined, node: string): MoveWindow | null {
  return windows?.find((window) => window.active && (window.node === null || window.node === node)) ?? null;
}
