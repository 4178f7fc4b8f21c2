import { text } from "node:stream/consumers";
import { expect } from "chai";
import { extract, pack } from "tar-stream";
import { layersToLeave, withoutLayers } from "../../../executor/engine/docker/image-layers.js";

const [LOW, HIGH, TOP] = ["sha256:11", "sha256:22", "sha256:33"] as [string, string, string];

/** What is in an archive: names, or targets of links, with contents. */
async function contentsOf(archive: NodeJS.ReadableStream): Promise<Record<string, string>> {
  const entries = extract();
  const found: Record<string, string> = {};
  entries.on("entry", (header, content, next) => {
    text(content).then((words) => {
      found[header.name] = header.linkname ? `-> ${header.linkname}` : words;
      next();
    }, next);
  });
  archive.pipe(entries);
  await new Promise((resolve, reject) => entries.once("finish", resolve).once("error", reject));
  return found;
}

function archive(): NodeJS.ReadableStream {
  const made = pack();
  made.entry({ name: "blobs/sha256/", type: "directory" });
  made.entry({ name: "blobs/sha256/11" }, "low".repeat(100_000));
  made.entry({ name: "blobs/sha256/22" }, "high");
  made.entry({ name: "blobs/sha256/config" }, "{}");
  made.entry({ name: "old/layer.tar", type: "symlink", linkname: "../blobs/sha256/22" });
  made.entry({ name: "manifest.json" }, "[]");
  made.finalize();
  return made;
}

describe("The archive of an image", () => {
  it("goes without the layers that are to be left, and is otherwise what it was", async () => {
    const { "blobs/sha256/11": _, ...others } = await contentsOf(archive());
    expect(await contentsOf(withoutLayers(archive(), new Set([LOW])))).to.deep.equal(others);
    expect(others).to.include({ "blobs/sha256/22": "high", "old/layer.tar": "-> ../blobs/sha256/22" });
  });

  it("keeps a layer that is in the image once more above those that are to be left", () => {
    expect([...layersToLeave([LOW, HIGH, TOP], 2)]).to.deep.equal([LOW, HIGH]);
    expect([...layersToLeave([LOW, HIGH, LOW], 2)]).to.deep.equal([HIGH]);
  });

  it("ends with the error of the one it is made from", async () => {
    const broken = pack();
    const kept = withoutLayers(broken, new Set());
    broken.destroy(new Error("broken"));
    const error = await text(kept).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error);
  });
});
