// Shared by the scripts of this folder. `tests/service/page.rs` runs them with the address of the page in PAGE and the
// folder of the npm packages in PAGE_TOOLS.

import { strict as assert } from "node:assert";
import { accessSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

export { assert };

const require = createRequire(process.env.PAGE_TOOLS);
const { chromium } = require("playwright-core");
const rules = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable() {
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name));
        return join(folder, name);
      } catch {
        // Try the next one.
      }
    }
  }
  throw new Error("Chromium is not installed\nhelp: on Debian, apt-get install -y chromium");
}

/** Opens the page and calls `test`. Fails if the browser logs errors other than those of `expectedErrors`. */
export async function open({ hash = "", expectedErrors = [], ...options }, test) {
  const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 1000 },
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    const page = await context.newPage();
    const errors = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(error.message));
    const response = await page.goto(process.env.PAGE + hash);
    assert.equal(response.status(), 200);
    await page.locator("#prediction output").waitFor();
    await test(page);
    const unexpected = errors.filter((text) => !expectedErrors.some((known) => text.includes(known)));
    assert.deepEqual(unexpected, []);
  } finally {
    await browser.close();
  }
}

/** The automatic checks of WCAG 2.2 AA, and that the page is not wider than the window. */
export async function check(page, state) {
  // Not as a script element, which the policy of the page does not allow.
  await page.evaluate(rules);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  const found = violations.map(
    ({ id, nodes }) =>
      `${state}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
  );
  assert.deepEqual(found, []);
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(sideways, 0, `${state}: the page scrolls sideways`);
}

/** Waits until an expression is true in the page. */
export const until = (page, expression, ...values) => page.waitForFunction(expression, ...values, { timeout: 15_000 });

/** Waits until the text of an element contains what is expected, and returns it. */
export async function shows(page, selector, expected) {
  const locator = page.locator(selector);
  const start = Date.now();
  let text;
  do {
    text = (await locator.allInnerTexts()).join("\n");
    if (expected instanceof RegExp ? expected.test(text) : text.includes(expected)) return text;
    await page.waitForTimeout(20);
  } while (Date.now() - start < 15_000);
  return assert.fail(`${selector}: expected ${expected}, got:\n${text}`);
}

/** The response of the API to a request, without the page. */
export async function ask(page, path, body) {
  const base = process.env.PAGE.replace(/\/+$/, "");
  const response =
    body === undefined ? await page.request.get(base + path) : await page.request.post(base + path, { data: body });
  return response.json();
}

/** A CSV file for the file chooser. */
export const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
