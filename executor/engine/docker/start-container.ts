import { request } from "node:http";
import { text } from "node:stream/consumers";

/**
 * `start-container.js SOCKET CONTAINER`: waits for a line on stdin, then asks Docker to start the container and prints `<HTTP status> <body>`.
 * A process of its own because Docker calls a start off when the one who asked goes away: an executor that died at the commit would
 * take the restored workload with it. Ends at once when stdin ends before the line, and a little after the answer: to put away a process takes some ten
 * milliseconds, which the workload needs for its first answers.
 */
const [socketPath, containerId] = process.argv.slice(2);
const LINGER_MILLISECONDS = 1000;

process.stdout.on("error", () => {});
process.stdin.once("end", () => process.exit(0));
process.stdin.once("data", () => {
  process.stdin.removeAllListeners("end");
  const asked = request({ socketPath, method: "POST", path: `/containers/${containerId}/start` }, async (response) => {
    const body = await text(response);
    process.stdout.write(`${response.statusCode} ${body.trim().replaceAll("\n", " ")}\n`);
    setTimeout(() => process.exit(0), LINGER_MILLISECONDS);
  });
  asked.once("error", (error) => process.stdout.write(`0 ${error.message}\n`, () => process.exit(1)));
  asked.end();
});
