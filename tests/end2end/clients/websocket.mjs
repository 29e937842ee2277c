// A WebSocket of Node through a proxy: node websocket.mjs < job.json; prints the SHA-256 of each answer, then the close.
// The job: {modules, proxy, ca, url, texts: [...], sizes: [...]}: texts, then binary messages of these sizes.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const job = JSON.parse(await text(process.stdin));
const { ProxyAgent, WebSocket } = createRequire(job.modules + "/")("undici");
const dispatcher = new ProxyAgent({ uri: job.proxy, requestTls: { ca: readFileSync(job.ca) } });
const socket = new WebSocket(job.url, { dispatcher, protocols: ["echo.test"] });
socket.binaryType = "arraybuffer";

const messages = [...job.texts, ...job.sizes.map((size) => new Uint8Array(size).map((_, at) => at * 31))];
const next = () => (messages.length ? socket.send(messages.shift()) : socket.close(3001, "enough"));
socket.onopen = next;
socket.onmessage = ({ data }) => {
  const content = typeof data === "string" ? data : Buffer.from(data);
  console.log(createHash("sha256").update(content).digest("hex"));
  next();
};
socket.onerror = (event) => console.error(event.error ?? event.message);
socket.onclose = ({ code }) => {
  console.log("closed", code);
  dispatcher.close();
};
