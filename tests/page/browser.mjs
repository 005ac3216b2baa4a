// What the scripts that look at the page share. Started by `tests/page.rs`, which says where the page is (PAGE) and where the
// tools are (PAGE_TOOLS).

import { strict as assert } from "node:assert";
import { accessSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

export { assert };

const require = createRequire(process.env.PAGE_TOOLS);
const { chromium } = require("playwright-core");
export const axePath = require.resolve("axe-core/axe.min.js");

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable() {
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name));
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  throw new Error("This test opens the page in Chromium, and there is none: on Debian, apt-get install -y chromium");
}

/** Opens the page, lets `look` look at it, and holds that the browser had nothing to complain about. */
export async function open({ hash = "", complaints = [], ...options }, look) {
  const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 1000 },
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    const page = await context.newPage();
    const told = [];
    page.on("console", (message) => message.type() === "error" && told.push(message.text()));
    page.on("pageerror", (error) => told.push(error.message));
    const response = await page.goto(process.env.PAGE + hash);
    assert.equal(response.status(), 200);
    await page.locator("#said output").waitFor();
    await look(page);
    const unexpected = told.filter((text) => !complaints.some((known) => text.includes(known)));
    assert.deepEqual(unexpected, []);
  } finally {
    await browser.close();
  }
}

/** Waits until an expression of the page holds. */
export const until = (page, expression, ...values) => page.waitForFunction(expression, ...values, { timeout: 15_000 });

/** The text that stands in one place, once it holds what is expected. */
export async function shows(page, selector, expected) {
  const locator = page.locator(selector);
  const start = Date.now();
  let text;
  do {
    text = (await locator.allInnerTexts()).join("\n");
    if (expected instanceof RegExp ? expected.test(text) : text.includes(expected)) return text;
    await page.waitForTimeout(20);
  } while (Date.now() - start < 15_000);
  return assert.fail(`${selector} should show ${expected}, and shows:\n${text}`);
}

/** What a request to the API answers, without the page. */
export async function ask(page, path, body) {
  const base = process.env.PAGE.replace(/\/+$/, "");
  const response =
    body === undefined ? await page.request.get(base + path) : await page.request.post(base + path, { data: body });
  return response.json();
}

/** A CSV file, as a browser's file chooser gives it. */
export const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
