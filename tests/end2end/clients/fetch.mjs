// Node's fetch through a proxy: node fetch.mjs < job.json; one line of JSON for each answer.
// The job: {modules, which, proxy, ca, http2, at_once, steps: [{method, url, body, in_pieces}]}, bodies in base64.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const job = JSON.parse(await text(process.stdin));
const undici = createRequire(job.modules + "/")("undici");
const ca = readFileSync(job.ca);
const agent = new undici.ProxyAgent({ uri: job.proxy, requestTls: { ca, allowH2: job.http2 } });
undici.setGlobalDispatcher(agent); // Node's own fetch obeys it as well
const fetch = job.which === "undici" ? undici.fetch : globalThis.fetch;

async function take(step) {
  const body = step.body && Buffer.from(step.body, "base64");
  const pieces = () => new Blob([body]).stream();
  const how = { method: step.method, body: step.in_pieces ? pieces() : body || undefined, duplex: "half" };
  const answer = await fetch(step.url, how);
  const got = Buffer.from(await answer.arrayBuffer());
  return JSON.stringify({ status: answer.status, sha256: createHash("sha256").update(got).digest("hex") });
}

if (job.at_once) {
  for (const line of await Promise.all(job.steps.map(take))) console.log(line);
} else {
  for (const step of job.steps) console.log(await take(step));
}
await agent.close();
