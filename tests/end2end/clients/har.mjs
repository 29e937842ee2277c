// A HAR out of the messages of Chromium's DevTools protocol, by the npm package chrome-har; both are JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { modules, messages } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(pathToFileURL(`${modules}/`));
const { harFromMessages } = await import(pathToFileURL(require.resolve("chrome-har")));
process.stdout.write(JSON.stringify(harFromMessages(messages, { includeTextFromResponseBody: true })));
