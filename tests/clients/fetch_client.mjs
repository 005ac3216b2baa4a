// `fetch` of Node.js, as of browsers, with every kind of body: the content type follows from it.
// usage: node fetch_client.mjs URL
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

const base = process.argv[2];
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const json = JSON.stringify({ X: [flower] });
const csv = `${Object.keys(flower)}\n${Object.values(flower)}\n`;

async function post(what, body, options = {}, path = "/models/iris/predict") {
  const answer = await fetch(base + path, { method: "POST", body, ...options });
  console.log(`ok fetch: ${what}, ${answer.status}`);
  return answer;
}

for (const [what, body, options] of [
  ["a string (text/plain;charset=UTF-8)", json],
  ["a string with its type", json, { headers: { "content-type": "application/json" } }],
  ["a typed blob", new Blob([json], { type: "application/json" })],
  ["an untyped blob", new Blob([json])],
  ["bytes", new TextEncoder().encode(json)],
  ["a blob of CSV", new Blob([csv], { type: "text/csv" })],
  ["compressed bytes", gzipSync(json), { headers: { "content-encoding": "gzip" } }],
  ["a stream", new Blob([json]).stream(), { duplex: "half" }],
]) {
  const answer = await post(what, body, options);
  assert.equal(answer.status, 200, what);
  assert.deepEqual((await answer.json()).y, ["setosa"], what);
}

const problem = await post("a value that does not fit", json.replace("0.2", '"wide"'));
assert.equal(problem.status, 422);
assert.equal(problem.headers.get("content-type"), "application/problem+json");
const { type, errors } = await problem.json();
assert.equal(errors[0].pointer, "#/X/0/petal_width");
const description = await fetch(new URL(type, problem.url));
assert.ok((await description.text()).includes(`id="${new URL(type, base).hash.slice(1)}"`), type);

const form = await post("a form, which is no row", new URLSearchParams({ petal_width: "0.2" }));
assert.equal(form.status, 400);
assert.match((await form.json()).detail, /send an object such as \{"X"/);

assert.deepEqual(await (await fetch(base)).json(), { status: "alive" });
const opened = await fetch(`${base}/predict`, { headers: { accept: "text/html" } });
assert.equal(opened.status, 405);
assert.match(await opened.text(), /curl -s http:/);
