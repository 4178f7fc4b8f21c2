import type { Redis } from "ioredis";
import type { Keys } from "../platform/keys.js";

/** A small word on the events channel that something changed; whoever cares reads the thing itself. */
export interface Note {
  readonly kind: string;
  readonly id?: string;
  readonly stage?: string;
  readonly node?: string;
}

export interface Notes {
  listen(listener: (note: Note) => void): () => void;
  close(): void;
}

/** Needs a connection of its own: one that subscribes can do nothing else. */
export async function subscribeNotes(subscriber: Redis, keys: Keys): Promise<Notes> {
  const listeners = new Set<(note: Note) => void>();
  subscriber.on("message", (_channel: string, text: string) => {
    const note = parseNote(text);
    if (note !== null) for (const listener of listeners) listener(note);
  });
  await subscriber.subscribe(keys.events);
  return {
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => listeners.clear(),
  };
}

export async function publishNote(redis: Redis, keys: Keys, note: Note): Promise<void> {
  await redis.publish(keys.events, JSON.stringify(note));
}

function parseNote(text: string): Note | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && typeof (value as Note).kind === "string" ? (value as Note) : null;
  } catch {
    return null;
  }
}
