import type { Duplex } from "node:stream";
import type { Logger } from "../../platform/log.js";
import { type RsyncServing, serveRsync } from "./rsync-server.js";

/** The streams by which files come in, by migration. */
export interface FileStreams {
  /** Serves the trees of a migration on a stream, unless its streams have been ended. */
  open(id: string, configPath: string, socket: Duplex): void;
  /** Ends those of a migration for good, and waits until nothing of them writes any more. Safe to repeat. */
  end(id: string): Promise<void>;
  /** Nothing of the migration is left here. */
  forget(id: string): void;
}

export function makeFileStreams(log: Logger): FileStreams {
  const servings = new Map<string, Set<RsyncServing>>();
  const ended = new Set<string>();
  return {
    open(id, configPath, socket) {
      if (ended.has(id)) {
        socket.destroy();
        return;
      }
      const serving = serveRsync(configPath, socket, log);
      const all = servings.get(id) ?? new Set();
      servings.set(id, all.add(serving));
      serving.gone.then(() => {
        all.delete(serving);
        if (all.size === 0) servings.delete(id);
      });
    },
    async end(id) {
      ended.add(id);
      const all = [...(servings.get(id) ?? [])];
      for (const serving of all) serving.end();
      await Promise.all(all.map(({ gone }) => gone));
    },
    forget: (id) => {
      ended.delete(id);
    },
  };
}
