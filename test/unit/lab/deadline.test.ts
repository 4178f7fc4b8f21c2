import { expect } from "chai";
import { waitFor } from "../../../lab/deadline.js";

async function messageOf(waiting: Promise<unknown>): Promise<string> {
  return waiting.then(
    (answer) => `answered ${String(answer)}`,
    (error: Error) => error.message,
  );
}

describe("a wait of the lab", () => {
  it("asks again until there is an answer", async () => {
    const answers = [undefined, false, "here"];
    expect(await waitFor("an answer", 60, () => answers.shift(), 1)).to.equal("here");
    expect(answers).to.deep.equal([]);
  });

  it("takes 0 and an empty text for answers", async () => {
    expect(await waitFor("a number", 60, () => 0 as number | undefined, 1)).to.equal(0);
    expect(await waitFor("a text", 60, () => "" as string | undefined, 1)).to.equal("");
  });

  it("ends, and names what it waited for, when the answer stays away", async () => {
    expect(await messageOf(waitFor("the moon", 0.05, () => false, 1))).to.equal("gave up after 0.05 s waiting for the moon");
  });

  it("ends while its question has no answer at all", async () => {
    const message = await messageOf(waitFor("a deaf server", 0.05, () => new Promise<boolean>(() => {}), 1));
    expect(message).to.equal("gave up after 0.05 s waiting for a deaf server: the last question got no answer");
  });

  it("passes on the error of a question at once", async () => {
    let asked = 0;
    const message = await messageOf(
      waitFor("a broken thing", 60, () => {
        asked++;
        throw new Error("broken");
      }),
    );
    expect(message).to.equal("broken");
    expect(asked).to.equal(1);
  });
});
