// WCAG 2.2 AA as far as a machine can tell, in both schemes and at both widths, in every state; and the keyboard alone.

import { readFile } from "node:fs/promises";
import { assert, axePath, file, open, shows } from "./browser.mjs";

const rules = await readFile(axePath, "utf8");
const csv = await readFile("model/diabetes.csv", "utf8");

async function finds(page, state) {
  // Through the browser's own door: the page's policy lets no other script in.
  await page.evaluate(rules);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  const told = violations.map(
    ({ id, nodes }) =>
      `${state}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
  );
  assert.deepEqual(told, []);
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(sideways, 0, `${state}: the page scrolls sideways`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    const options = {
      colorScheme,
      viewport: { width, height: 800 },
      reducedMotion: "reduce",
      complaints: ["status of 422", "status of 503"],
    };
    const state = (what) => `${what}, ${colorScheme}, ${width} pixels`;
    await open({ ...options, hash: "#diabetes" }, async (page) => {
      await finds(page, state("an answer"));
      await page.getByLabel("bmi", { exact: true }).fill("61");
      await shows(page, ".warnings", "bmi");
      await page.getByText("Paste a row").click();
      await finds(page, state("a warning"));
      await page.setInputFiles("#file", file("diabetes.csv", csv));
      await shows(page, "#table", "442 rows predicted");
      await finds(page, state("a table"));
      await page.getByLabel("bmi", { exact: true }).fill("high");
      await shows(page, "#field-2-message", "Expected a number");
      await finds(page, state("an error"));
      // Before there is an answer.
      await page.route(/predict$/, () => {});
      await page.reload();
      await page.locator("#field-0").waitFor();
      await finds(page, state("no answer yet"));
      await page.route(/models$/, (route) => route.fulfill({ status: 503, json: { detail: "gone" } }));
      await page.reload();
      await shows(page, "#trouble", "gone");
      await finds(page, state("no models"));
    });
    await open({ ...options, hash: "#iris" }, (page) => finds(page, state("classes")));
  }
}

// With the keyboard alone: to another model, through the fields, to the answer's copy, to the file and the call.
await open({ hash: "#diabetes" }, async (page) => {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  const order = [];
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    const at = await focused();
    if (order.length > 0 && at === order[0]) break;
    order.push(at);
  }
  const fields = Array.from({ length: 10 }, (_, position) => `field-${position}`);
  const expected = [
    "line",
    "diabetes",
    "iris",
    "breast-cancer",
    "random",
    "reset",
    ...fields,
    "Paste a row",
    "copy-answer",
    "level",
    "file",
    "Copy the command",
  ];
  assert.deepEqual(order.slice(0, expected.length), expected);
  // Whoever chooses another model stays in the list of models.
  await page.getByRole("link", { name: "iris" }).focus();
  await page.keyboard.press("Enter");
  await shows(page, "#name", "iris");
  assert.equal(await focused(), "iris");
  await page.goBack();
  await shows(page, "#said .target", "progression");
  await page.locator("#level").focus();
  await page.keyboard.press("ArrowUp");
  await shows(page, "#calls pre >> nth=0", '"interval":0.9,');
  assert.equal(await focused(), "level");
});
