import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { pino } from "pino";
import { type FileStreams, makeFileStreams } from "../../../executor/peer/file-streams.js";
import { waitFor } from "../../support/wait-for.js";

/** Many times what the program takes between two lines. */
const WATCHED_MILLISECONDS = 300;

/** In rsync's place a program that, as rsync does, has a child of its write the files. */
const WRITES_ON = `
sh -c 'while :; do echo x >>"$0"; sleep 0.01; done' "\${3#--config=}.written" &
wait
`;

describe("The streams by which the files of a migration come in", () => {
  let folder: string;
  let streams: FileStreams;
  const path = process.env["PATH"];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-streams-"));
    await writeFile(join(folder, "rsync"), `#!/bin/sh${WRITES_ON}`, { mode: 0o755 });
    process.env["PATH"] = `${folder}:${path}`;
    streams = makeFileStreams(pino({ level: "silent" }));
  });

  afterEach(async () => {
    process.env["PATH"] = path;
    for (const id of ["a", "b"]) await streams.end(id);
    await rm(folder, { recursive: true });
  });

  const written = async (id: string) => (await readFile(join(folder, `${id}.written`), "utf8").catch(() => "")).length;

  function open(id: string): PassThrough {
    const socket = new PassThrough();
    streams.open(id, join(folder, id), socket);
    return socket;
  }

  const writes = async (id: string) => {
    const before = await written(id);
    await waitFor(`${id} to write`, async () => (await written(id)) > before);
  };

  it("write nothing any more once they have been ended, while those of others go on", async () => {
    const sockets = [open("a"), open("a"), open("b")];
    await writes("a");
    await streams.end("a");
    const before = await written("a");
    await delay(WATCHED_MILLISECONDS);
    expect(await written("a")).to.equal(before);
    expect(sockets.map(({ destroyed }) => destroyed)).to.deep.equal([true, true, false]);
    await writes("b");
  });

  it("are not opened again for the same migration until all of it is gone", async () => {
    await streams.end("a");
    expect(open("a").destroyed).to.equal(true);
    streams.forget("a");
    expect(open("a").destroyed).to.equal(false);
    await writes("a");
  });
});
