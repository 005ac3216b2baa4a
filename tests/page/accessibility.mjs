// The automatic checks of WCAG 2.2 AA, in both color schemes, at two widths and in every state; and use by keyboard.

import { readFile } from "node:fs/promises";
import { assert, check, file, open, shows } from "./browser.mjs";

const csv = await readFile("model/diabetes.csv", "utf8");

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    const options = {
      colorScheme,
      viewport: { width, height: 800 },
      reducedMotion: "reduce",
      expectedErrors: ["status of 422", "status of 503"],
    };
    const state = (what) => `${what}, ${colorScheme}, ${width} pixels`;
    await open({ ...options, hash: "#diabetes" }, async (page) => {
      await check(page, state("an answer"));
      await page.getByLabel("bmi", { exact: true }).fill("61");
      await shows(page, ".warnings", "bmi");
      await page.getByText("Paste a row").click();
      await check(page, state("a warning"));
      await page.setInputFiles("#file", file("diabetes.csv", csv));
      await shows(page, "#table", "442 rows predicted");
      await check(page, state("a table"));
      await page.getByLabel("bmi", { exact: true }).fill("high");
      await shows(page, "#field-2-message", "Expected a number");
      await check(page, state("an error"));
      // Without an answer.
      await page.route(/predict$/, () => {});
      await page.reload();
      await page.locator("#field-0").waitFor();
      await check(page, state("no answer yet"));
      await page.route(/models$/, (route) => route.fulfill({ status: 503, json: { detail: "gone" } }));
      await page.reload();
      await shows(page, "#trouble", "gone");
      await check(page, state("no models"));
    });
    await open({ ...options, hash: "#iris" }, (page) => check(page, state("classes")));
  }
}

// By keyboard: to the documentation, the models, the fields, the answer, the file and the request.
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
    "docs",
    "openapi",
    "line",
    "diabetes",
    "iris",
    "breast-cancer",
    "random",
    "reset",
    ...fields,
    "Paste a row",
    "Notes on the training data",
    "copy-answer",
    "level",
    "file",
    "tab-curl",
    "Copy the code",
  ];
  assert.deepEqual(order.slice(0, expected.length), expected);
  // The focus stays in the list of models after choosing another one.
  await page.getByRole("link", { name: "iris" }).focus();
  await page.keyboard.press("Enter");
  await shows(page, "#name", "iris");
  assert.equal(await focused(), "iris");
  await page.goBack();
  await shows(page, "#prediction .target", "progression");
  await page.locator("#level").focus();
  await page.keyboard.press("ArrowUp");
  await shows(page, "#calls pre >> nth=0", '"interval":0.9,');
  assert.equal(await focused(), "level");
});
