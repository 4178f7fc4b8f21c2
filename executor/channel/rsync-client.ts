import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EvenkeelError } from "../../platform/errors.js";
import { bytesOf } from "../byte-paths.js";
import type { FileTree } from "../engine/engine.js";
import { type Pace, paced } from "./pace.js";

/** Nanoseconds count: a file rewritten in place within one second has the size and whole second of the copy that was sent. */
const FLAGS = ["-aHAXS", "--modify-window=-1", "--numeric-ids", "--devices", "--specials", "--whole-file"];

/** By their contents. In place: a file made anew would be torn from its other names, of which this round knows nothing. */
const ONLY_FLAGS = ["--checksum", "--inplace", "--files-from=-", "--from0"];

/**
 * rsync exit codes that a running workload may cause and another round may heal: some files vanished under our eyes, or could not be carried (rsync(1)). The
 * second also stands for what no round heals: a disk that cannot be read, no inodes left, an attribute that the other file system does not take.
 */
const VANISHED = 24;
const NOT_ALL_CARRIED = 23;

/**
 * The daemon's byte stream is on descriptors 3 and 4; rsync, whose socket is this program's stdin and stdout, connects through it. When the
 * daemon's side ends, the other direction is ended too: rsync would wait for ever on a socket that a forgotten `cat` holds open. Descriptor 5
 * because sh gives a background command /dev/null for its stdin.
 */
const CONNECT_PROGRAM = "exec 5<&0; cat <&5 >&4 & up=$!; exec 5<&- 0<&-; cat <&3; kill $up";

/** It has a line for each file that it could not carry. */
const WORDS_MOST = 4096;

export interface SyncRound {
  /** The workload is frozen: nothing may be left behind. */
  readonly final: boolean;
  /** Only these files, by their byte paths in the tree, and by their contents, whether or not size and time say that they changed. */
  readonly only?: readonly string[];
  /** The name that a single-file tree has on the other end. */
  readonly remoteFile: string | null;
  readonly pace: Pace | null;
  readonly isCompressed: boolean;
  /** Told of bytes as they cross to the peer. */
  onBytes(bytes: number): void;
}

export interface SyncDone {
  /** That crossed to the peer. */
  readonly bytes: number;
  /** What could not be carried, in rsync's words; null = all was. */
  readonly missed: string | null;
}

/** One rsync round of a tree over a byte stream to the peer's daemon. @throws SYNC_FAILED with rsync's words; in a final round whenever not all was carried. */
export async function syncTree(tree: FileTree, socket: Duplex, round: SyncRound): Promise<SyncDone> {
  const single = tree.file !== undefined;
  const from = single ? `${tree.path}/${tree.file}` : `${tree.path}/`;
  const to = `rsync://peer/${tree.name}/${single ? (round.remoteFile ?? tree.file) : ""}`;
  const selection = round.only !== undefined ? ONLY_FLAGS : single ? [] : ["--delete"];
  const compression = round.isCompressed ? ["--compress"] : [];
  const child = spawn("rsync", [...FLAGS, ...compression, ...selection, from, to], {
    env: {
      PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      RSYNC_CONNECT_PROG: CONNECT_PROGRAM,
      RSYNC_SHELL: "/bin/sh",
    },
    stdio: ["pipe", "ignore", "pipe", "pipe", "pipe"],
  });
  child.stdin!.on("error", () => {});
  // Else a name that begins with # or ; would be a comment.
  child.stdin!.end(bytesOf(round.only?.map((path) => `./${path}`).join("\0") ?? ""));
  let words = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    words = `${words}${chunk}`.slice(0, WORDS_MOST);
  });
  const [toRsync, fromRsync] = [child.stdio[3] as Duplex, child.stdio[4] as Duplex];
  // Each reads as well as writes, and a pipeline that has ended looks after neither: one whose other end goes with bytes unread says so (ECONNRESET) to whoever listens, or ends this program.
  for (const stream of [child.stderr!, toRsync, fromRsync]) stream.on("error", () => {});
  let bytes = 0;
  const done = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (code) => resolve(code ?? 128));
    child.once("exit", () => socket.end());
  });
  // Both pipelines watch it, beside TLS and HTTP: more than Node takes for a leak.
  socket.setMaxListeners(0);
  pipeline(socket, toRsync).catch(() => {});
  const outgoing = paced(round.pace, (sent) => {
    bytes += sent;
    round.onBytes(sent);
  });
  // A pipeline and not a pipe: with the socket broken, what rsync has still said must be thrown away, else its pipe never closes.
  pipeline(fromRsync, outgoing, socket).catch(() => {});
  const code = await done;
  socket.destroy();
  const said = `${tree.name}: rsync ended with ${code}: ${words.trim()}`;
  if (code !== 0 && (round.final || (code !== VANISHED && code !== NOT_ALL_CARRIED))) throw new EvenkeelError("SYNC_FAILED", said);
  return { bytes, missed: code === NOT_ALL_CARRIED ? said : null };
}
