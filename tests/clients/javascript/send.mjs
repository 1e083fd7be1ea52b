// Sends the events on stdin with the CloudEvents SDK of JavaScript: `send.mjs URL KEY MODE`; prints the status of each
// request.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { CloudEvent, HTTP } from "cloudevents";

const [url, key, mode] = process.argv.slice(2);
const events = JSON.parse(readFileSync(0, "utf8")).map(({ time, ...written }) => new CloudEvent(written));

// The SDK reads batches but writes none: one is an array of its events, each with its own toJSON.
const messages = mode === "batch"
  ? [{ headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(events) }]
  : events.map((event) => (mode === "binary" ? HTTP.binary(event) : HTTP.structured(event)));

// Node takes header values as Latin-1, so the letters of UTF-8 are given to it byte by byte; and the body as bytes, with
// which it does not write the head anew in UTF-8.
const toBytes = (value) => Buffer.from(String(value), "utf8").toString("latin1");

const post = ({ headers, body }) => new Promise((resolve, reject) => {
  const encoded = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, toBytes(value)]));
  const sent = request(url, { method: "POST", headers: { ...encoded, authorization: `Bearer ${key}` } }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (part) => { text += part; });
    answer.on("end", () => resolve(`${answer.statusCode} ${text}`));
  });
  sent.on("error", reject);
  sent.end(Buffer.from(body, "utf8"));
});

for (const message of messages) {
  console.log(await post(message));
}
